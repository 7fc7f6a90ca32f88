"""Recurring tickets, and which were opened."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models


class RecurringTicket(models.Model):
    """A ticket that is opened from a template again and again, by the clocks of a time zone."""

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    template = models.ForeignKey("desk.TicketTemplate", on_delete=models.PROTECT, related_name="recurring")
    rule = models.CharField(max_length=200, default="FREQ=MONTHLY;BYMONTHDAY=1")
    starts_on = models.DateField("first day")
    at = models.TimeField("time of day", default=dt.time(9))
    zone = models.CharField("time zone", max_length=64, default="UTC")
    next_at = models.DateTimeField("next", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "recurring ticket"

    def __str__(self) -> str:
        return self.name


class Occurrence(models.Model):
    """A ticket was opened for this time; no other is."""

    recurring = models.ForeignKey(RecurringTicket, on_delete=models.CASCADE, related_name="occurrences")
    at = models.DateTimeField()
    ticket = models.ForeignKey(
        "desk.Ticket", null=True, on_delete=models.SET_NULL, related_name="occurrences"
    )

    class Meta:
        ordering: ClassVar = ["-at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recurring", "at"], name="occurrence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.recurring_id} at {self.at}"
