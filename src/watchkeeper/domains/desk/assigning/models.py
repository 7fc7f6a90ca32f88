"""What people can do, when they are away, and to whom tickets were given, and why."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Skill(models.Model):
    """What some people can do, and some tickets and queues ask for."""

    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=255, blank=True, default="")
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="skills")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """To whom a ticket was given, when, and why. Written once."""

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="assignments")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="assignments"
    )
    because = models.TextField(blank=True, default="")
    by_rule = models.BooleanField("by rule", default=False)
    at = models.DateTimeField("given", default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["person", "-at"], name="assignment_of_person")]

    def __str__(self) -> str:
        return f"{self.ticket_id} to {self.person or 'nobody'}"
