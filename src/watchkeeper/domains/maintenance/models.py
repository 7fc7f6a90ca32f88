"""Maintenance windows, as people plan them."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django_filters import ChoiceFilter

from watchkeeper.domains.maintenance import rules
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.model.reach import REACHES, Reach
from watchkeeper.model.schedule import Schedule

_CHANGED = 500  # occurrences of which is kept that they ended at another time


class _InState(ChoiceFilter):
    """The state follows from the schedule and the time, so it is found out for each of the windows."""

    def filter(self, found: models.QuerySet[Any], value: str) -> models.QuerySet[Any]:
        """As the base."""
        return found.filter(pk__in=[w.pk for w in found if w.state == value]) if value else found


class MaintenanceWindow(models.Model):
    """When work is planned, and on what. Its alerts are recorded, and nobody is told of them until it is over."""

    class Repeats(models.TextChoices):
        """How often."""

        ONCE = "once", "once"
        DAY = "day", "every day"
        WEEK = "week", "every week"
        MONTH_WEEKDAY = "month_weekday", "every month on the same weekday (the second Sunday)"
        MONTH_DAY = "month_day", "every month on the same date"
        YEAR = "year", "every year"
        RULE = "rule", "by a rule of its own"

    computed_filters: ClassVar = {"state": _InState(label="State", choices=[(s, s) for s in rules.STATES])}

    name = models.CharField(max_length=150)
    reason = models.TextField(blank=True, default="")
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="maintenance_windows")
    of_items = models.BooleanField(default=False, editable=False)  # also when the last of them is no more
    reach = models.CharField("goes as far as", max_length=16, choices=REACHES, default=Reach.CARRIED.value)
    labels = models.JSONField(default=dict, blank=True)
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    repeats = models.CharField(max_length=16, choices=Repeats, default=Repeats.ONCE)
    every = models.PositiveSmallIntegerField(default=1)
    weekdays = models.JSONField(default=list, blank=True)
    rule = models.CharField(max_length=200, blank=True, default="")
    repeats_until = models.DateField("last day it may begin", null=True, blank=True, default=None)
    zone = models.CharField("time zone", max_length=64, default="UTC")
    changed_start_at = models.DateTimeField(null=True, default=None, editable=False)  # of one occurrence …
    changed_end_at = models.DateTimeField(null=True, default=None, editable=False)  # … its other end
    changed_before = models.JSONField(
        default=list, editable=False
    )  # [begin, other end] of others, Unix milliseconds
    created_by = models.CharField("by", max_length=150, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering: ClassVar = ["starts_at", "id"]
        verbose_name = "maintenance window"

    def __str__(self) -> str:
        return self.name

    @property
    def rrule(self) -> str:
        """The RFC 5545 rule; "" for once."""
        given = rules.Repetition(
            self.repeats, self.every, tuple(self.weekdays), self.rule, self.repeats_until
        )
        return rules.rrule_of(given, rules.wall(self.starts_at, self.zone))

    @property
    def schedule(self) -> Schedule:
        """When it holds, as analysis follows it."""
        ends = (milliseconds(self.changed_start_at) or 0, milliseconds(self.changed_end_at) or 0)
        return Schedule(
            milliseconds(self.starts_at), milliseconds(self.ends_at), self.rrule, self.zone, *ends,
            tuple((begins, ends) for begins, ends in self.changed_before),
        )  # fmt: skip

    def end(self, begins_ms: int, at: dt.datetime) -> None:
        """The occurrence that begins then ends at this time; the others stay as they are. Not saved."""
        if self.changed_start_at is not None and milliseconds(self.changed_start_at) != begins_ms:
            other = [milliseconds(self.changed_start_at), milliseconds(self.changed_end_at)]
            self.changed_before = [*self.changed_before, other][-_CHANGED:]
        self.changed_start_at, self.changed_end_at = moment(begins_ms), at

    @property
    def when(self) -> str:
        """When it holds, in words."""
        return rules.words(self.schedule, milliseconds(timezone.now()))

    @property
    def state(self) -> str:
        """upcoming, running or past, now."""
        return rules.state(self.schedule, milliseconds(timezone.now()))

    @property
    def running_until(self) -> object:
        """The end of the occurrence that runs now; None when none does."""
        found = self.schedule.current(milliseconds(timezone.now()))
        return moment(found[1]) if found else None

    @property
    def next_at(self) -> object:
        """When it next begins; None when it never will again."""
        now = milliseconds(timezone.now())
        starts = next((s for s, _ in self.schedule.occurrences(now) if s > now), 0)
        return moment(starts) if starts else None
