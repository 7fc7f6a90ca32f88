"""Tickets, what they wait for, their queues, and which situations become incidents."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_filters import BooleanFilter

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.assigning.models import Assignment, Skill
from watchkeeper.domains.desk.assigning.rules import BY_HAND, WAYS
from watchkeeper.domains.desk.checking.models import ChecklistItem
from watchkeeper.domains.desk.macros.models import Macro
from watchkeeper.domains.desk.numbering import Numbered
from watchkeeper.domains.desk.prefilling.models import TicketTemplate
from watchkeeper.domains.desk.presence.models import Looking
from watchkeeper.domains.desk.recurring.models import Occurrence, RecurringTicket
from watchkeeper.domains.desk.timing.models import TimeEntry
from watchkeeper.kernel.fields import SeverityField
from watchkeeper.model.verdicts import Severity

__all__ = [
    "Assignment", "ChecklistItem", "IncidentRule", "Looking", "Macro", "Occurrence", "Queue",
    "RecurringTicket", "Skill", "Ticket", "TicketTemplate", "TimeEntry", "Wait",
]  # fmt: skip


class Queue(models.Model):
    """Where tickets of one sort come together: who works on them, and what is promised about them."""

    name = models.CharField(max_length=100, unique=True)
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="queues"
    )
    agreement = models.ForeignKey(
        "agreements.Agreement", null=True, blank=True, on_delete=models.PROTECT, related_name="queues"
    )
    description = models.TextField(blank=True, default="")
    gives = models.CharField("gives its tickets", max_length=8, choices=WAYS, default=BY_HAND)
    skills = models.ManyToManyField("desk.Skill", blank=True, related_name="queues")
    portal = models.BooleanField(
        "takes what comes from the portal", default=False,
        error_messages={"unique": "another queue takes what comes from the portal"},
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["portal"], condition=models.Q(portal=True), name="one_queue_of_the_portal"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Overdue(BooleanFilter):
    """Open tickets that were due before now: their answer, while there is none, or their resolution."""

    def filter(self, found: models.QuerySet[Any], value: bool | None) -> models.QuerySet[Any]:
        """As the base."""
        if value is None:
            return found
        late = due_before(timezone.now()) & models.Q(status__in=rules.OPEN)
        return found.filter(late) if value else found.exclude(late)


def due_before(now: dt.datetime) -> models.Q:
    """The condition of an open ticket that is late then."""
    return models.Q(resolution_due_at__lt=now) | models.Q(answered_at=None, answer_due_at__lt=now)


class Ticket(Numbered):
    """Something that somebody asks for or suffers from, until it is done."""

    class Type(models.TextChoices):
        """In ITIL's terms."""

        INCIDENT = "incident", "incident"
        REQUEST = "request", "service request"

    computed_filters: ClassVar = {"overdue": Overdue(label="Overdue")}

    class Source(models.TextChoices):
        """How it came."""

        CONSOLE = "console", "by hand"
        SITUATION = "situation", "from a situation"
        MAIL = "mail", "by e-mail"
        PORTAL = "portal", "from the portal"

    type = models.CharField(max_length=8, choices=Type, default=Type.INCIDENT)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=24, choices=list(rules.STATES.items()), default=rules.NEW)
    impact = models.PositiveSmallIntegerField(choices=rules.LEVELS, default=2)
    urgency = models.PositiveSmallIntegerField(choices=rules.LEVELS, default=2)
    priority = models.PositiveSmallIntegerField(editable=False)
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="assigned_tickets",
    )
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="requested_tickets",
    )
    contact = models.EmailField("contact's address", blank=True, default="")
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="tickets")
    situation = models.ForeignKey(
        "situations.Situation", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False,
        related_name="tickets",
    )  # fmt: skip
    agreement = models.ForeignKey(
        "agreements.Agreement", null=True, blank=True, on_delete=models.PROTECT, related_name="tickets"
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )
    merged_into = models.ForeignKey(
        "self", null=True, default=None, editable=False, on_delete=models.SET_NULL, related_name="merged"
    )
    skills = models.ManyToManyField("desk.Skill", blank=True, related_name="tickets")
    source = models.CharField(max_length=10, choices=Source, default=Source.CONSOLE, editable=False)
    resolution = models.TextField(blank=True, default="")
    opened_at = models.DateTimeField("opened", default=timezone.now, editable=False)
    answered_at = models.DateTimeField("first answer", null=True, default=None, editable=False)
    resolved_at = models.DateTimeField("resolved", null=True, default=None, editable=False)
    closed_at = models.DateTimeField("closed", null=True, default=None, editable=False)
    answer_due_at = models.DateTimeField("answer due", null=True, default=None, editable=False)
    resolution_due_at = models.DateTimeField("resolution due", null=True, default=None, editable=False)
    restarted_at = models.DateTimeField("requester wrote", null=True, default=None, editable=False)
    answer_breached_at = models.DateTimeField("answer was late from", null=True, default=None, editable=False)
    resolution_breached_at = models.DateTimeField(
        "resolution was late from", null=True, default=None, editable=False
    )

    class Meta:
        ordering: ClassVar = ["priority", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["status", "priority"], name="ticket_status"),
            models.Index(fields=["queue", "status", "priority"], name="ticket_queue"),
            models.Index(fields=["resolution_due_at"], name="ticket_due"),
            models.Index(fields=["queue", "-resolved_at"], name="ticket_resolved"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["situation"],
                condition=models.Q(source="situation"),
                name="ticket_once_a_situation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def letters(self) -> str:  # type: ignore[override]
        """Of its number, which keeps them whatever its type becomes."""
        return "INC" if self.type == self.Type.INCIDENT else "REQ"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The priority follows."""
        self.priority = rules.priority(self.impact, self.urgency)
        super().save(*args, **kwargs)

    @property
    def promise(self) -> Any:
        """The agreement that holds: its own, else its queue's; None without one."""
        return self.agreement or (self.queue.agreement if self.queue else None)


class Wait(models.Model):
    """A time in which a ticket was in a state in which clocks may stand."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="waits")
    status = models.CharField(max_length=24, choices=list(rules.STATES.items()))
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["began_at", "id"]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.status}"


class IncidentRule(models.Model):
    """Situations that become incidents."""

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    min_severity = SeverityField(default=Severity.ERROR)
    words = models.CharField(max_length=200, blank=True, default="")
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="incident_rules"
    )
    urgency = models.PositiveSmallIntegerField(choices=rules.LEVELS, default=2)
    resolves = models.BooleanField("resolved with it", default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "incident rule"

    def __str__(self) -> str:
        return self.name


class Escalation(models.Model):
    """Somebody was told that a promise about a ticket runs out, or has: once for each clock and percentage, and again when
    the clock began anew. One of 100 % is a broken promise."""

    class Clock(models.TextChoices):
        """Of which promise."""

        ANSWER = "answer", "first answer"
        RESOLUTION = "resolution", "resolution"

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="escalations")
    clock = models.CharField("of the", max_length=10, choices=Clock)
    percent = models.PositiveSmallIntegerField("of the time (%)")
    began_at = models.DateTimeField("the clock began")
    reached_at = models.DateTimeField("reached")
    told = models.PositiveSmallIntegerField("people told", default=0)

    class Meta:
        ordering: ClassVar = ["-reached_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket", "clock", "percent", "began_at"], name="escalation_once")
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.percent} % of the {self.clock}"
