"""Alerts, situations, why alerts belong to them, their timeline, silences, and who is told.

The analyse process alone writes alerts, situations, memberships, timeline, applied acts and silences.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from watchkeeper.kernel.fields import SealedField, SeverityField, StructField
from watchkeeper.model.judgements import WHENS, When
from watchkeeper.model.reach import REACHES, Reach
from watchkeeper.model.reason import Reason
from watchkeeper.model.verdicts import AlertStatus, Cause, Severity, SituationState


def _words(words: Any) -> list[tuple[str, str]]:
    return [(w.value, w.value) for w in words]


class Situation(models.Model):
    """Alerts that belong together, and what is behind them."""

    id = models.CharField(primary_key=True, max_length=64)
    state = models.CharField(max_length=16, choices=_words(SituationState))
    severity = SeverityField()
    title = models.CharField(max_length=500)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, default=None)
    because = StructField(tuple[Reason, ...])
    causes = StructField(tuple[Cause, ...])
    follows = models.CharField(max_length=64, blank=True, default="")
    merged_into = models.CharField(max_length=64, blank=True, default="")
    assignee = models.CharField(max_length=150, blank=True, default="")
    version = models.CharField(max_length=200, blank=True, default="")
    alert_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-opened_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["opened_at", "id"], name="situation_opened"),
            models.Index(fields=["state", "opened_at"], name="situation_state"),
            models.Index(fields=["resolved_at"], name="situation_resolved"),
            models.Index(fields=["updated_at"], name="situation_updated"),
        ]

    def __str__(self) -> str:
        return self.title


class Alert(models.Model):
    """One living thing per fingerprint."""

    fingerprint = models.CharField(primary_key=True, max_length=64)
    item = models.ForeignKey(
        "inventory.Item", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="alerts"
    )
    name = models.CharField(max_length=500)
    severity = SeverityField()
    status = models.CharField(max_length=8, choices=_words(AlertStatus))
    summary = models.TextField(blank=True, default="")
    labels = models.JSONField(default=dict)
    annotations = StructField(dict[str, str])
    url = models.TextField(blank=True, default="")
    source = models.CharField(max_length=128)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, default=None)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=1)
    firings = models.PositiveBigIntegerField(default=1)
    flapping = models.BooleanField(default=False)
    suppressed_by = models.CharField(max_length=128, blank=True, default="")
    acknowledged_by = models.CharField(max_length=150, blank=True, default="")
    acknowledged_until = models.DateTimeField(null=True, default=None)
    score = models.FloatField(default=1.0)
    because = StructField(tuple[Reason, ...])
    situation = models.ForeignKey(
        Situation, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="alerts"
    )
    times_out_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-last_seen_at", "-fingerprint"]
        indexes: ClassVar = [
            # In the order of the list; severity goes along so that a million can be counted without their rows.
            models.Index(fields=["last_seen_at", "fingerprint", "severity"], name="alert_seen"),
            models.Index(fields=["status", "last_seen_at", "fingerprint", "severity"], name="alert_status"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Why an alert belongs to a situation; `position` keeps the order of joining."""

    situation = models.ForeignKey(Situation, on_delete=models.CASCADE, related_name="memberships")
    alert = models.ForeignKey(
        Alert, on_delete=models.DO_NOTHING, db_constraint=False, related_name="memberships"
    )
    position = models.PositiveIntegerField()
    joined_at = models.DateTimeField(null=True)
    because = StructField(tuple[Reason, ...])

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["situation", "alert"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} in {self.situation_id}"


class TimelineEntry(models.Model):
    """Something that happened to a situation: opened, joined, a new cause, what a person did."""

    situation = models.ForeignKey(Situation, on_delete=models.CASCADE, related_name="timeline")
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    actor = models.CharField(max_length=150, blank=True, default="")
    text = models.TextField()
    data = StructField(dict[str, Any])

    class Meta:
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [models.Index(fields=["situation", "at"], name="timeline_situation")]

    def __str__(self) -> str:
        return self.text


class AppliedAct(models.Model):
    """An act that has come through the journal and is part of the state."""

    id = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=16)
    target = models.CharField(max_length=128)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()
    applied_at = models.DateTimeField(db_index=True)
    data = StructField(dict[str, Any])

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


class Silence(models.Model):
    """Alerts that match, or are about the items, are recorded and suppressed, but notify nobody. Where there are both, they
    have to be about one of the items and satisfy all matchers, which are Alertmanager's."""

    id = models.CharField(primary_key=True, max_length=64)
    matchers = models.JSONField("labels", default=list, blank=True)  # [{name, value, isRegex, isEqual}]
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    created_by = models.CharField(max_length=150)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="silences")
    of_items = models.BooleanField(default=False, editable=False)  # also when the last of them is no more
    reach = models.CharField("goes as far as", max_length=16, choices=REACHES, default=Reach.CARRIED.value)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="silence_ends")]

    def __str__(self) -> str:
        return self.comment or self.id


class Judgement(models.Model):
    """What a person has called usual: its like is not told again, and what it holds back is counted."""

    id = models.CharField(primary_key=True, max_length=64)  # of the act that said so
    alert = models.CharField(
        max_length=64, db_index=True
    )  # fingerprint; the alert may be forgotten meanwhile
    item = models.ForeignKey(
        "inventory.Item",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="judgements",
    )
    name = models.CharField("alert", max_length=500)
    text = models.TextField("what is usual")
    when = models.CharField("at what times", max_length=8, choices=WHENS, default=When.ALWAYS.value)
    why = models.TextField(blank=True, default="")
    created_by = models.CharField("by", max_length=150)
    created_at = models.DateTimeField()
    until = models.DateTimeField(null=True, default=None)
    ended_at = models.DateTimeField("taken back at", null=True, default=None)
    ended_by = models.CharField("taken back by", max_length=150, blank=True, default="")
    held = models.PositiveIntegerField("times held back", default=0)
    last_held_at = models.DateTimeField("last held back", null=True, default=None)
    last_held_text = models.TextField("what was held back last", blank=True, default="")
    data = StructField(dict[str, Any])  # as analysis takes it: model.judgements.Judgement

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.text


class AnalysisOffset(models.Model):
    """The journal offset up to which the records hold what analysis decided: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    offset = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.offset)


class Channel(models.TextChoices):
    """How somebody is told."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack", "Slack"
    MATTERMOST = "mattermost", "Mattermost"
    TEAMS = "teams", "Microsoft Teams"


class NotificationRule(models.Model):
    """Tells an address about situations that match: opened, risen in severity, resolved."""

    name = models.CharField(max_length=150, unique=True)
    enabled = models.BooleanField(default=True)
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.WEBHOOK)
    address = models.CharField(max_length=2000)  # a URL, or e-mail addresses separated by commas
    secret = SealedField(blank=True, default="")  # a webhook's signing secret, whsec_…
    min_severity = SeverityField(default=Severity.WARNING)
    labels = models.JSONField(default=dict, blank=True)  # one of its alerts must carry them all
    words = models.CharField(max_length=200, blank=True, default="")  # the title must contain them all
    events = models.JSONField(default=list, blank=True)  # of opened, severity_raised, resolved; empty: all
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "notification rule"

    def __str__(self) -> str:
        return self.name
