"""Threshold rules and their overrides, and groups of Prometheus' rules."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models

from watchkeeper.kernel.fields import SeverityField
from watchkeeper.model.thresholds import Comparison
from watchkeeper.model.verdicts import Severity


class Kind(models.TextChoices):
    """What a rule waits for."""

    LEVEL = "level", "a value beyond a level"
    ABSENCE = "absence", "no values"


COMPARISONS = [
    (Comparison.ABOVE.value, "above (>)"), (Comparison.AT_LEAST.value, "at or above (>=)"),
    (Comparison.BELOW.value, "below (<)"), (Comparison.AT_MOST.value, "at or below (<=)"),
    (Comparison.EQUAL.value, "equal to (==)"), (Comparison.OTHER.value, "other than (!=)"),
]  # fmt: skip


class ThresholdRule(models.Model):
    """An alert when values of a metric stay beyond a level, or do not come at all."""

    name = models.CharField(max_length=150, unique=True)
    enabled = models.BooleanField("on", default=True)
    description = models.TextField(blank=True, default="")
    kind = models.CharField("alert on", max_length=8, choices=Kind, default=Kind.LEVEL)
    metric = models.CharField(max_length=300)
    labels = models.CharField(max_length=2000, blank=True, default="")
    item = models.ForeignKey(
        "inventory.Item", on_delete=models.CASCADE, null=True, blank=True, default=None, related_name="+"
    )
    per_second = models.BooleanField("growth a second", default=False)
    comparison = models.CharField(
        "when it is", max_length=2, choices=COMPARISONS, default=Comparison.ABOVE.value
    )
    level = models.FloatField(null=True, blank=True, default=None)
    for_seconds = models.PositiveIntegerField("for, in seconds", default=300)
    recovery = models.FloatField("recovers at", null=True, blank=True, default=None)
    recovery_seconds = models.PositiveIntegerField("recovered for, in seconds", default=0)
    severity = SeverityField(default=Severity.WARNING)
    text = models.CharField(max_length=1000, blank=True, default="")
    runbook = models.URLField(max_length=1000, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "threshold rule"

    def __str__(self) -> str:
        return self.name


class ThresholdOverride(models.Model):
    """Another level of a rule for an item, a kind of item, or series with certain labels."""

    threshold_rule = models.ForeignKey(ThresholdRule, on_delete=models.CASCADE, related_name="overrides")
    enabled = models.BooleanField("rule applies", default=True)
    item = models.ForeignKey(
        "inventory.Item", on_delete=models.CASCADE, null=True, blank=True, default=None, related_name="+"
    )
    item_kind = models.CharField("kind of item", max_length=64, blank=True, default="")
    labels = models.CharField(max_length=2000, blank=True, default="")
    level = models.FloatField(null=True, blank=True, default=None)
    recovery = models.FloatField("recovers at", null=True, blank=True, default=None)
    for_seconds = models.PositiveIntegerField("for, in seconds", null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["threshold_rule", "id"]
        verbose_name = "threshold override"

    def __str__(self) -> str:
        return f"{self.threshold_rule} for {self.whom}"

    @property
    def whom(self) -> str:
        """Of whom it is."""
        kind = f"every {self.item_kind}" if self.item_kind else ""
        return ", ".join(filter(None, (self.item.name if self.item else "", kind, self.labels)))


class RuleGroup(models.Model):
    """Prometheus' rules that are evaluated one after another."""

    name = models.CharField(max_length=200)
    source = models.CharField("file", max_length=300, blank=True, default="")
    enabled = models.BooleanField("on", default=True)
    interval_seconds = models.PositiveIntegerField("every, in seconds", default=60)
    series_limit = models.PositiveIntegerField("series a rule, at most", default=0)
    rules = models.TextField()

    class Meta:
        ordering: ClassVar = ["source", "name"]
        verbose_name = "rule group"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "name"], name="rule_group_of_a_file")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def contents(self) -> str:
        """How many rules of which sort, in words."""
        from watchkeeper.domains.alerting.grouping import in_words

        return in_words(self)
