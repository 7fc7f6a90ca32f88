"""What is watched for running out, and what is foreseen of it."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.capacity.dates import CHOICES
from watchkeeper.model.spelled import amount


class CapacityRule(models.Model):
    """Series that reach a limit, or dates that come."""

    class Measure(models.TextChoices):
        """What the series tell."""

        SHARE = "share", "the share that is used (0 to 1)"
        USED = "used", "how much is used"
        FREE = "free", "how much is left"
        UNTIL = "until", "the time at which it ends (Unix seconds)"
        RECORDED = "recorded", "a date that records have"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    description = models.TextField(blank=True, default="")
    measure = models.CharField("measures", max_length=8, choices=Measure, default=Measure.SHARE)
    date = models.CharField("the date", max_length=50, choices=CHOICES, blank=True, default="")
    metric = models.CharField(max_length=300, blank=True, default="")
    labels = models.CharField(max_length=2000, blank=True, default="")
    limit_metric = models.CharField("metric of the limit", max_length=300, blank=True, default="")
    limit_value = models.FloatField("limit", null=True, blank=True, default=None)
    lead_days = models.FloatField(
        "alert so many days before", default=14.0, validators=[MinValueValidator(0), MaxValueValidator(730)]
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "capacity rule"

    def __str__(self) -> str:
        return self.name

    @property
    def looks_at(self) -> str:
        """The metric, or the date in words."""
        if self.measure != self.Measure.RECORDED:
            return str(self.metric)
        return dict(CHOICES).get(self.date, "")


class Forecast(models.Model):
    """What is foreseen of one thing with a limit; written by `looking` alone."""

    class State(models.TextChoices):
        """How near it is."""

        FULL = "full"  # at its limit, or over
        LAPSED = "lapsed"  # its date is over
        SOON = "soon"  # so near that it is an alert
        COMING = "coming"  # within what can be foreseen
        CALM = "calm"  # not within what can be foreseen
        UNKNOWN = "not_known", "Not known"

    key = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(max_length=400)
    rule = models.ForeignKey(CapacityRule, on_delete=models.CASCADE, related_name="forecasts")
    item = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.CASCADE, related_name="forecasts"
    )
    state = models.CharField(max_length=9, choices=State)
    because = models.TextField("why", blank=True, default="")
    value = models.FloatField("now", null=True, default=None)
    limit = models.FloatField(null=True, default=None)
    unit = models.CharField(max_length=40, blank=True, default="")
    grew = models.FloatField("grew a day", null=True, default=None)
    expected_at = models.DateTimeField("expected", null=True, default=None, db_index=True)
    earliest_at = models.DateTimeField("at the earliest", null=True, default=None)
    latest_at = models.DateTimeField("at the latest", null=True, default=None)
    level = models.FloatField("probability of the band", default=0.9)
    error = models.FloatField("error of the backtest", null=True, default=None)
    naive_error = models.FloatField("error of the seasonal naive forecast", null=True, default=None)
    urgency = models.FloatField(default=0.0, db_index=True)  # 0 to 1; what the list is sorted by
    alerting = models.BooleanField("is an alert", default=False)
    severity = models.CharField(max_length=8, blank=True, default="")
    labels = models.JSONField(default=dict, editable=False)
    chart = models.JSONField(default=dict, editable=False)  # model.outlook.Line of past and ahead
    about = models.JSONField(default=dict, editable=False)  # as dates.members takes it
    looked_at = models.DateTimeField("looked at")
    measured_at = models.DateTimeField("last measured", null=True, default=None)
    since = models.DateTimeField("so since")

    class Meta:
        ordering: ClassVar = ["-urgency", "name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        """The first sentence of why."""
        return self.because.partition("\n")[0]

    @property
    def now_in_words(self) -> str:
        """The value of now with its unit, of the limit."""
        if self.value is None or self.limit is None:
            return ""
        now = amount(self.value, self.unit)
        return now if self.unit == "1" else f"{now} of {amount(self.limit, self.unit)}"

    @property
    def of_how_many(self) -> str:
        """How many end, where it is a date."""
        return amount(self.value, self.unit) if self.about and self.value else ""
