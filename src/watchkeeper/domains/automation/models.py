"""Event rules, and what they did."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from watchkeeper.kernel.fields import SealedField


class Does(models.TextChoices):
    """What a rule does."""

    WEBHOOK = "webhook", "send a webhook"
    NOTIFY = "notify", "notify people"
    RUN = "run", "run a job"


class EventRule(models.Model):
    """When one of these things is done to a record of these kinds, and the condition holds, do this."""

    name = models.CharField(max_length=150, unique=True)
    enabled = models.BooleanField(default=True)
    kinds = models.JSONField(default=list)  # paths
    acts = models.JSONField("when", default=list, blank=True)  # empty: all
    condition = models.TextField(blank=True, default="")  # CEL; empty: always
    does = models.CharField(max_length=8, choices=Does, default=Does.WEBHOOK)
    address = models.CharField("webhook address", max_length=2000, blank=True, default="")
    secret = SealedField(blank=True, default="")
    notify_users = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    notify_teams = models.ManyToManyField("access.Team", blank=True, related_name="+")
    job = models.CharField(max_length=150, blank=True, default="")
    arguments = models.JSONField(default=dict, blank=True)
    per_minute = models.PositiveIntegerField(default=60)
    failing_since = models.DateTimeField(null=True, blank=True, default=None)
    switched_off_because = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "event rule"

    def __str__(self) -> str:
        return self.name


class Outcome(models.TextChoices):
    """What became of a firing."""

    WAITING = "waiting"  # in the outbox; or tried in vain so far
    DONE = "done"
    FAILED = "failed"  # given up
    HELD_BACK = "held_back", "held back"  # more than the rule does in a minute
    LOOP = "loop"  # the rule itself had caused the event


class Firing(models.Model):
    """An event for which a rule's condition held, once each."""

    rule = models.ForeignKey(EventRule, on_delete=models.CASCADE, related_name="firings")
    event = models.CharField(max_length=200)  # its id
    kind = models.CharField(max_length=64)
    act = models.CharField(max_length=64)
    record = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True, default="")
    told = models.JSONField()  # the event, whole
    at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    answer = models.TextField(blank=True, default="")  # the last, or why not
    message = models.CharField(max_length=32, unique=True)  # the id that a receiver sees
    caused_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["rule", "event"], name="firing_once")]
        indexes: ClassVar = [
            models.Index(fields=["rule", "at"], name="firing_rule"),
            models.Index(fields=["at"], name="firing_at"),
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def what(self) -> str:
        """What was done to which record."""
        return f"{self.act.replace('-', ' ')} {self.name or self.record}"

    @property
    def effect(self) -> str:
        """The id of its row in the outbox."""
        return f"rule:{self.rule_id}:{self.event}"
