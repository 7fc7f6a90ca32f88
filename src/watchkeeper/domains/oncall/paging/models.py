"""Escalation policies, their steps, which situations they are for, and escalations with the pages that came of them."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from watchkeeper.domains.outgoing.chat import CHAT
from watchkeeper.kernel.fields import SealedField, SeverityField
from watchkeeper.model.verdicts import Severity

#: how the cause begins where people have asked for it, and where what somebody may have has become graver
BY_HAND, GRAVER = "by-hand:", "graver:"


class Urgency(models.TextChoices):
    """How pressing: it chooses among a person's ways, and only what is low waits for the end of quiet hours."""

    HIGH = "high"
    LOW = "low"


class EscalationPolicy(models.Model):
    """Who is paged in which order until somebody acknowledges."""

    name = models.CharField(max_length=100, unique=True)
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="escalation_policies"
    )
    repeat = models.PositiveSmallIntegerField("begun again (times)", default=2)
    description = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "escalation policy"
        verbose_name_plural = "escalation policies"

    def __str__(self) -> str:
        return self.name


class Hours(models.TextChoices):
    """In which hours of a calendar."""

    ALWAYS = "always", "at any time"
    WITHIN = "within", "in its hours"
    OUTSIDE = "outside", "outside its hours"


class EscalationStep(models.Model):
    """People, whoever is on call, and teams that are paged together, and how long they have to answer."""

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField("step", default=1)
    minutes = models.PositiveSmallIntegerField("minutes to answer", default=15)
    responders = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    schedules = models.ManyToManyField("oncall.Schedule", blank=True, related_name="escalation_steps")
    teams = models.ManyToManyField("access.Team", blank=True, related_name="escalation_steps")
    min_severity = SeverityField(verbose_name="from severity", default=Severity.INFO)
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    hours = models.CharField("when", max_length=8, choices=Hours, default=Hours.ALWAYS)
    channel = models.CharField("also tell", max_length=12, choices=CHAT, blank=True, default="")
    address = SealedField(
        "at the address", blank=True, default=""
    )  # of a chat it is all that is needed to write there
    secret = SealedField(blank=True, default="")  # of a webhook

    class Meta:
        ordering: ClassVar = ["policy__name", "position", "id"]
        verbose_name = "escalation step"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "position"], name="escalation_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.policy}, step {self.position}"

    @property
    def people(self) -> list[str]:
        """User names."""
        return sorted(user.username for user in self.responders.all())

    @property
    def tells(self) -> list[str]:
        """Whom it pages, in words."""
        on_call = (f"on call: {schedule}" for schedule in self.schedules.all())
        return [*on_call, *self.people, *(f"all of {team}" for team in self.teams.all())]


class EscalationRule(models.Model):
    """Situations that are escalated, and by which policy: the first rule that fits decides."""

    class By(models.TextChoices):
        """Where the urgency comes from."""

        SEVERITY = "severity", "high from error on, else low"
        HIGH = "high", "high"
        LOW = "low", "low"

    position = models.PositiveSmallIntegerField(default=100)
    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    policy = models.ForeignKey(EscalationPolicy, on_delete=models.PROTECT, related_name="rules")
    min_severity = SeverityField(verbose_name="from severity", default=Severity.ERROR)
    words = models.CharField(max_length=200, blank=True, default="")
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="escalation_rules")
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    hours = models.CharField("when", max_length=8, choices=Hours, default=Hours.ALWAYS)
    urgency = models.CharField(max_length=8, choices=By, default=By.SEVERITY)
    delay = models.PositiveSmallIntegerField("begins after (minutes)", default=0)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        verbose_name = "escalation rule"

    def __str__(self) -> str:
        return self.name


class Escalation(models.Model):
    """A policy at work on a situation or ticket, or people who were paged by hand. `due_at` is when something is done next;
    `cause` makes it once."""

    class State(models.TextChoices):
        """How it stands."""

        RUNNING = "running", "nobody has answered yet"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        RESOLVED = "resolved", "resolved"
        STOPPED = "stopped", "stopped"
        UNANSWERED = "unanswered", "nobody answered"

    cause = models.CharField(max_length=200, unique=True, editable=False)
    kind = models.CharField("kind of record", max_length=64)
    record = models.CharField(max_length=128)
    title = models.CharField(max_length=500)
    severity = SeverityField(default=Severity.ERROR)
    urgency = models.CharField(max_length=4, choices=Urgency, default=Urgency.HIGH)
    policy = models.ForeignKey(
        EscalationPolicy, null=True, blank=True, on_delete=models.SET_NULL, related_name="escalations"
    )
    asked = models.JSONField(default=list, editable=False)  # user names, of one by hand
    message = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    note = models.CharField(max_length=300, blank=True, default="")
    round = models.PositiveSmallIntegerField(default=0)
    position = models.IntegerField("last step", default=-1)
    began_at = models.DateTimeField("began")
    due_at = models.DateTimeField("goes on", null=True, default=None)
    ended_at = models.DateTimeField("ended", null=True, default=None)
    ended_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-began_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="running"), name="escalation_due"),
            models.Index(fields=["state", "kind", "ended_at"], name="escalation_state"),
            models.Index(fields=["kind", "record", "state"], name="escalation_of"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def by_hand(self) -> bool:
        """Whether somebody has asked for it, who knows how things stand."""
        return self.cause.startswith(BY_HAND)

    @property
    def graver(self) -> bool:
        """Whether it began because it has become graver: that somebody had it before is no answer."""
        return self.cause.startswith(GRAVER)


class Page(models.Model):
    """That one person is told of one escalation at one step, once."""

    class State(models.TextChoices):
        """How far it has come."""

        DUE = "due", "due"
        SENT = "sent", "sent"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        GIVEN_UP = "given_up", "given up"

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="pages")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pages")
    round = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField("step", default=0)
    state = models.CharField(max_length=12, choices=State, default=State.DUE)
    at = models.DateTimeField("paged")
    sent_at = models.DateTimeField("sent", null=True, default=None)
    answered_at = models.DateTimeField("acknowledged", null=True, default=None)
    via = models.CharField("acknowledged by way of", max_length=20, blank=True, default="")
    because = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["escalation", "round", "position", "person"], name="page_once")
        ]
        indexes: ClassVar = [models.Index(fields=["person", "-at"], name="page_of_person")]

    def __str__(self) -> str:
        return f"{self.person}: {self.escalation}"


class PageDelivery(models.Model):
    """One way on which one page goes to its person."""

    class State(models.TextChoices):
        """How far it has come."""

        DUE = "due", "due"
        SENT = "sent", "sent"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed"
        GIVEN_UP = "given_up", "no longer needed"

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="deliveries")
    method = models.ForeignKey(
        "oncall.ContactMethod", null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )  # none: to the account's own e-mail address
    channel = models.CharField(max_length=12)
    due_at = models.DateTimeField("due")
    held = models.BooleanField("held by quiet hours", default=False)
    state = models.CharField(max_length=12, choices=State, default=State.DUE)
    at = models.DateTimeField("sent", null=True, default=None)
    reference = models.CharField(max_length=100, blank=True, default="")  # at the provider
    answer = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["due_at", "id"]
        verbose_name = "page delivery"
        verbose_name_plural = "page deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["page", "method"], name="page_delivery_once")
        ]

    def __str__(self) -> str:
        return f"{self.channel} of {self.page}"
