"""Grouping rules, and sets of parameters for the learned method, of which one is in use."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.model.correlation import Parameters

USUAL = Parameters()
DAY_S = 86_400


class GroupingRule(models.Model):
    """Alerts that satisfy a condition and agree in some values are one situation."""

    name = models.CharField(max_length=150, unique=True)
    enabled = models.BooleanField("on", default=True)
    description = models.TextField(blank=True, default="")
    position = models.IntegerField(default=100)
    condition = models.TextField()
    group_by = models.JSONField("same", default=list, blank=True)
    window_seconds = models.PositiveIntegerField(
        "within, in seconds", default=600, validators=[MinValueValidator(1), MaxValueValidator(DAY_S)]
    )
    at_least = models.PositiveIntegerField(
        "from so many alerts", default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    parent_alert = models.CharField("held back when a parent has", max_length=300, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["position", "name"]
        verbose_name = "grouping rule"

    def __str__(self) -> str:
        return self.name


class CorrelationSetting(models.Model):
    """Parameters of the learned method under a name."""

    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True, default="")
    pause_seconds = models.PositiveIntegerField(
        "a group ends after, in seconds",
        default=USUAL.pause_ms // 1000,
        validators=[MinValueValidator(10), MaxValueValidator(DAY_S)],
    )
    fade_seconds = models.PositiveIntegerField(
        "evidence halves after, in seconds",
        default=USUAL.fade_ms // 1000,
        validators=[MinValueValidator(10), MaxValueValidator(DAY_S)],
    )
    evidence = models.PositiveIntegerField(
        "evidence needed, %",
        default=round(100 * USUAL.evidence),
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    in_use = models.BooleanField(default=False, editable=False)
    instead_of = models.CharField(max_length=150, blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "correlation setting"

    def __str__(self) -> str:
        return self.name

    @property
    def parameters(self) -> Parameters:
        """As analysis takes them."""
        return Parameters(1000 * self.pause_seconds, 1000 * self.fade_seconds, self.evidence / 100)
