"""What the health of services is made of, and how it is."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models

from watchkeeper.domains.health.rules import MINIMUM, State


class ServiceIndicator(models.Model):
    """One thing by which it is judged how a service is."""

    class Source(models.TextChoices):
        """What is looked at."""

        QUERY = "query", "a query (PromQL)"
        ALERTS = "alerts", "the alerts of the service"
        HEALTH = "health", "the health of another service"

    class Worse(models.TextChoices):
        """Which way is bad."""

        ABOVE = "above", "the higher, the worse"
        BELOW = "below", "the lower, the worse"

    item = models.ForeignKey(
        "inventory.Item", on_delete=models.CASCADE, related_name="indicators", verbose_name="service"
    )
    name = models.CharField(max_length=150)
    source = models.CharField("looks at", max_length=6, choices=Source, default=Source.ALERTS)
    query = models.TextField(blank=True, default="")
    unit = models.CharField(max_length=40, blank=True, default="")
    other = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        verbose_name="other service",
    )  # fmt: skip
    worse = models.CharField("worse", max_length=5, choices=Worse, default=Worse.ABOVE)
    low = models.FloatField("low from", null=True, blank=True, default=None)
    medium = models.FloatField("medium from", null=True, blank=True, default=None)
    high = models.FloatField("high from", null=True, blank=True, default=None)
    critical = models.FloatField("critical from", null=True, blank=True, default=None)
    importance = models.PositiveSmallIntegerField(default=5, validators=[MaxValueValidator(MINIMUM)])
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        verbose_name = "service indicator"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "name"], name="indicator_of_one_service"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def thresholds(self) -> tuple[float | None, ...]:
        """Where the states begin, from low to critical."""
        return self.low, self.medium, self.high, self.critical


class ServiceHealth(models.Model):
    """How a service was when it was last looked at; written by `evaluating` alone. `score` is None while nothing that
    counts is known."""

    item = models.OneToOneField(
        "inventory.Item", on_delete=models.CASCADE, related_name="health", verbose_name="service"
    )
    score = models.FloatField(null=True, default=None)
    state = models.CharField(max_length=8, choices=[(s.value, s.value) for s in State])
    parts = models.JSONField(default=list)  # rules.Part, one an indicator
    at = models.DateTimeField("looked at")
    since = models.DateTimeField("in this state since")

    class Meta:
        ordering: ClassVar = ["-since", "id"]
        verbose_name = "service health"

    def __str__(self) -> str:
        return f"{self.item}: {self.state if self.score is None else round(self.score)}"
