"""Time entries."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class TimeEntry(models.Model):
    """Time that somebody spent on a ticket. Without minutes its timer runs; each person has one at most."""

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="time_entries")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="time_entries"
    )
    began_at = models.DateTimeField("when", default=timezone.now)
    minutes = models.PositiveIntegerField(null=True, blank=True, default=None)
    billable = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-began_at", "-id"]
        verbose_name = "time entry"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person"], condition=Q(minutes=None), name="one_timer_a_person")
        ]
        indexes: ClassVar = [models.Index(fields=["person", "began_at"], name="time_of_person")]

    def __str__(self) -> str:
        return f"{self.person}: {'running' if self.minutes is None else f'{self.minutes} min'}"
