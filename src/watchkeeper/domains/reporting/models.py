"""Reports that were asked for, and what they say."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class ServiceReport(models.Model):
    """How a month was: for everything, an agreement, a customer or a service. Its files hang on it."""

    class State(models.TextChoices):
        """Whether it is there."""

        WAITING = "waiting", "being made"
        DONE = "done", "done"

    month = models.DateField()
    agreement = models.ForeignKey(
        "agreements.Agreement", null=True, blank=True, on_delete=models.CASCADE, related_name="reports"
    )
    customer = models.ForeignKey(
        "access.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="service_reports"
    )
    service = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.CASCADE, related_name="service_reports"
    )
    state = models.CharField(max_length=7, choices=State, default=State.WAITING, editable=False)
    asked_by = models.CharField(max_length=150, editable=False)
    asked_at = models.DateTimeField("asked for", default=timezone.now, editable=False)
    made_at = models.DateTimeField("made", null=True, default=None, editable=False)
    content = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering: ClassVar = ["-month", "-id"]
        verbose_name = "service report"

    def __str__(self) -> str:
        return f"{self.month:%B %Y}: {self.about}"

    @property
    def about(self) -> str:
        """What it is about."""
        return str(self.agreement or self.customer or self.service or "all services")
