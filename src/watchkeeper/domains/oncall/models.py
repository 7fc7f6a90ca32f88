"""On-call schedules, their layers and overrides."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.domains.oncall import rotations
from watchkeeper.domains.oncall.paging.models import (  # noqa: F401  (Django finds models here)
    Escalation,
    EscalationPolicy,
    EscalationRule,
    EscalationStep,
    Page,
    PageDelivery,
)
from watchkeeper.domains.oncall.paging.own_models import (  # noqa: F401
    ContactMethod,
    NotificationPreference,
    PushKey,
    QuietHours,
    TelephoneProvider,
)
from watchkeeper.domains.oncall.rotations import Shift
from watchkeeper.kernel.fields import milliseconds, moment

_AHEAD = dt.timedelta(days=366)


class Schedule(models.Model):
    """Who answers at which time: layers of people who take turns, and overrides above them."""

    name = models.CharField(max_length=100, unique=True)
    zone = models.CharField("time zone", max_length=64, default="UTC")
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="schedules"
    )
    description = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def shifts(self, from_ms: int, until_ms: int) -> list[Shift]:
        """Who is on call between two instants, by user name; "" is nobody. Of overrides the last one made comes first."""
        overrides = [
            rotations.Override(o.person.username, milliseconds(o.begins_at), milliseconds(o.ends_at))
            for o in sorted(self.overrides.all(), key=lambda o: o.pk)
            if o.person.is_active
        ]
        return rotations.shifts([layer.rotation for layer in self.layers.all()], overrides, from_ms, until_ms)

    @property
    def now(self) -> str:
        """Who is on call now, by user name; "" for nobody."""
        at = milliseconds(timezone.now())
        return self.shifts(at, at + 1)[0].person

    @property
    def next_gap_at(self) -> dt.datetime | None:
        """When, within a year, somebody is on call for the last time before nobody is."""
        begins = timezone.now()
        found = self.shifts(milliseconds(begins), milliseconds(begins + _AHEAD))
        return next((moment(s.begins_ms) for s in found[1:] if not s.person), None)

    @property
    def gone(self) -> list[str]:
        """Who has turns, or takes over, though their account is off; nobody is on call for them."""
        at = timezone.now()
        layers = (layer for layer in self.layers.all() if layer.ends_at is None or layer.ends_at > at)
        people = [turn.person for layer in layers for turn in layer.turns.all()]
        people += [o.person for o in self.overrides.all() if o.ends_at > at]
        return sorted({person.username for person in people if not person.is_active})


#: what `Schedule.shifts` and `Schedule.gone` read, for prefetch_related
READ = ("layers__calendar", "layers__schedule", "layers__turns__person", "overrides__person")


class Layer(models.Model):
    """People who take turns. Where it has nobody, the layer below it is seen."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="layers")
    position = models.PositiveSmallIntegerField("layer", default=1)
    days = models.PositiveSmallIntegerField("days a turn", default=7)
    starts_on = models.DateField("first turn begins on")
    handover = models.TimeField("hands over at", default=dt.time(9))
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name="only in the hours of",
    )  # fmt: skip
    ends_at = models.DateTimeField("ends", null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["schedule__name", "position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule", "position"], name="layer_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.schedule}, layer {self.position}"

    @property
    def people(self) -> list[str]:
        """User names, in the order of their turns."""
        return [turn.person.username for turn in self.turns.all()]

    @property
    def rotation(self) -> rotations.Layer:
        """As `rotations` takes it. The turn of somebody whose account is off is nobody's."""
        people = (t.person.username if t.person.is_active else "" for t in self.turns.all())
        return rotations.Layer(
            tuple(people), self.starts_on, self.handover, self.days, self.schedule.zone,
            self.calendar.working_time if self.calendar else None, milliseconds(self.ends_at) or None,
        )  # fmt: skip


class Turn(models.Model):
    """One person's place among those who take turns."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="turns")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["layer", "position"], name="turn_once")]

    def __str__(self) -> str:
        return f"{self.person} in {self.layer_id}"


class Override(models.Model):
    """Somebody is on call instead of whoever's turn it is."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    begins_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["begins_at", "id"]

    def __str__(self) -> str:
        return f"{self.person} on {self.schedule}"
