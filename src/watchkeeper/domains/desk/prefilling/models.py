"""Ticket templates."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models

from watchkeeper.domains.desk import rules


class TicketTemplate(models.Model):
    """A ticket that is filled in already, with the steps of its checklist."""

    class Type(models.TextChoices):
        """As tickets have it."""

        INCIDENT = "incident", "incident"
        REQUEST = "request", "service request"

    name = models.CharField(max_length=100, unique=True)
    type = models.CharField(max_length=8, choices=Type, default=Type.REQUEST)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    impact = models.PositiveSmallIntegerField(choices=rules.LEVELS, default=2)
    urgency = models.PositiveSmallIntegerField(choices=rules.LEVELS, default=2)
    queue = models.ForeignKey(
        "desk.Queue", null=True, blank=True, on_delete=models.PROTECT, related_name="templates"
    )
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="+")
    skills = models.ManyToManyField("desk.Skill", blank=True, related_name="+")
    steps = models.TextField("checklist", blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "ticket template"

    def __str__(self) -> str:
        return self.name
