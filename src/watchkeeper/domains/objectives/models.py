"""Objectives, how they stand, and what was measured of them."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.objectives import burn_words
from watchkeeper.domains.objectives.periods import UNITS, Window
from watchkeeper.domains.objectives.putting import BurnRule, Method

SLOT_S = 300  # of events; a slice of time is as long as is said
MEASURED = 2  # how slices are; with another number they are measured anew


class ServiceLevelObjective(models.Model):
    """What share of a service's events, or of its time, is to be good within a window."""

    class Indicator(models.TextChoices):
        """What is measured."""

        GOOD = "good_total", "good events of all events"
        BAD = "bad_total", "bad events of all events"
        SUCCESS = "success_ratio", "a share of good events (0 to 1)"
        FAILURE = "failure_ratio", "a share of bad events (0 to 1)"
        THRESHOLD = "threshold", "a value that is to stay on one side of a limit"

    class Compare(models.TextChoices):
        """When a value is good."""

        LTE = "lte", "at most"
        LT = "lt", "less than"
        GTE = "gte", "at least"
        GT = "gt", "more than"

    name = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=150, blank=True, default="")
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField("on", default=True)
    service = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.SET_NULL, related_name="objectives"
    )
    agreement = models.ForeignKey(
        "agreements.Agreement", null=True, blank=True, on_delete=models.SET_NULL, related_name="objectives"
    )
    indicator = models.CharField("measured by", max_length=13, choices=Indicator, default=Indicator.GOOD)
    query = models.TextField()
    total_query = models.TextField("query of all events", blank=True, default="")
    counter = models.BooleanField("they only count up", default=False)
    compare = models.CharField(
        "a value is good when it is", max_length=3, choices=Compare, default=Compare.LTE
    )
    limit = models.FloatField(null=True, blank=True, default=None)
    target = models.FloatField(
        "target (%)", default=99.9, validators=[MinValueValidator(0.001), MaxValueValidator(99.9999)]
    )
    method = models.CharField(
        "the budget counts", max_length=15, default=Method.OCCURRENCES.value,
        choices=[(Method.OCCURRENCES.value, "events"), (Method.TIMESLICES.value, "slices of time, good or bad"),
                 (Method.RATIO_TIMESLICES.value, "slices of time, by their share of good events")],
    )  # fmt: skip
    slice_seconds = models.PositiveIntegerField(
        "length of a slice (seconds)", default=300, choices=[(60, "1 minute"), (300, "5 minutes"),
                                                             (600, "10 minutes"), (900, "15 minutes"), (3600, "1 hour")]
    )  # fmt: skip
    slice_target = models.FloatField(
        "a slice is good from (%)", default=99.0, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    window_count = models.PositiveSmallIntegerField(
        "window", default=30, validators=[MinValueValidator(1), MaxValueValidator(400)]
    )
    window_unit = models.CharField(max_length=7, choices=[(u, f"{u}s") for u in UNITS], default="day")
    aligned = models.BooleanField("by the calendar", default=False)
    zone = models.CharField("time zone", max_length=64, default="UTC")
    anchor = models.DateTimeField("one of the windows begins", null=True, blank=True, default=None)
    exclude_maintenance = models.BooleanField("planned maintenance is left out", default=True)
    alerts = models.TextField("alert on these burn rates", default=burn_words.usual, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "service level objective"

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def step_s(self) -> int:
        """Seconds of a slot."""
        return SLOT_S if self.method == Method.OCCURRENCES else self.slice_seconds

    @property
    def share(self) -> float:
        """The target, 0 to 1."""
        return round(self.target / 100, 9)

    @property
    def window(self) -> Window:
        """As `periods` takes it. The anchor is a wall time of the zone."""
        anchor = self.anchor.replace(tzinfo=None) if self.anchor else None
        return Window(self.window_count, self.window_unit, self.aligned, self.zone, anchor)

    @property
    def window_in_words(self) -> str:
        """Such as "30 days" or "a calendar month"."""
        if self.aligned and self.window_count == 1:
            return f"a calendar {self.window_unit}"
        several = f"{self.window_count} {self.window_unit}{'s' if self.window_count > 1 else ''}"
        return f"{several} by the calendar" if self.aligned else f"the last {several}"

    @property
    def burn_rules(self) -> tuple[BurnRule, ...]:
        """As `rules` takes them."""
        return burn_words.read(self.alerts)

    @property
    def measured_as(self) -> str:
        """What the measured slots follow from: another value, and they have to be measured anew."""
        return repr(
            (
                self.indicator,
                self.query,
                self.total_query,
                self.counter,
                self.compare,
                self.limit,
                self.step_s,
                *([MEASURED] if self.method != Method.OCCURRENCES else []),
            )
        )

    def standing_or_none(self) -> Standing | None:
        """How it stands; None before it was first evaluated."""
        return getattr(self, "standing", None)


class Standing(models.Model):
    """How an objective stands; written by `evaluating` alone."""

    class State(models.TextChoices):
        """How near the budget's end is."""

        KEPT = "kept", "kept"
        AT_RISK = "at_risk", "at risk"
        BROKEN = "broken", "broken"
        UNKNOWN = "not_known", "not known"

    objective = models.OneToOneField(
        ServiceLevelObjective, primary_key=True, on_delete=models.CASCADE, related_name="standing"
    )
    state = models.CharField(max_length=9, choices=State, default=State.UNKNOWN)
    said = models.TextField(blank=True, default="")
    attained = models.FloatField(null=True, default=None)  # %
    left = models.FloatField("budget left", null=True, default=None)  # %
    burn_hour = models.FloatField("burn rate of the last hour", null=True, default=None)
    burn_day = models.FloatField("burn rate of the last day", null=True, default=None)
    severity = models.CharField(max_length=8, blank=True, default="")  # of the alert; "": none
    alerting_since = models.DateTimeField(null=True, default=None)
    expected_at = models.DateTimeField("used up", null=True, default=None)
    earliest_at = models.DateTimeField("at the earliest", null=True, default=None)
    latest_at = models.DateTimeField("at the latest", null=True, default=None)
    foreseen = models.TextField(blank=True, default="")
    foreseen_at = models.DateTimeField(null=True, default=None)
    excluded_seconds = models.BigIntegerField("left out", default=0)
    unmeasured_seconds = models.BigIntegerField("not measured", default=0)
    begins_at = models.DateTimeField(null=True, default=None)
    ends_at = models.DateTimeField(null=True, default=None)
    error = models.TextField(blank=True, default="")
    evaluated_at = models.DateTimeField(null=True, default=None)
    measured_from = models.DateTimeField(null=True, default=None)
    measured_until = models.DateTimeField(null=True, default=None)
    measured_as = models.TextField(default="", editable=False)
    chart = models.JSONField(default=dict, editable=False)

    def __str__(self) -> str:
        return f"{self.objective}: {self.state}"


class MeasuredDay(models.Model):
    """The slots of a day (UTC): good and all events as 64-bit floats, NaN where nothing was measured."""

    objective = models.ForeignKey(ServiceLevelObjective, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    good = models.BinaryField()
    total = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["objective_id", "day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["objective", "day"], name="measured_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.objective_id} {self.day:%Y-%m-%d}"


def day_of(ms: int) -> dt.date:
    """The day (UTC) of an instant."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).date()
