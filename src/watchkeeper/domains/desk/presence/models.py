"""Who has which ticket open."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Looking(models.Model):
    """Somebody has the page of a ticket open, or is changing it; their page says so again and again."""

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    editing = models.BooleanField(default=False)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["ticket", "person"], name="looking_once")]
        indexes: ClassVar = [models.Index(fields=["seen_at"], name="looking_seen")]

    def __str__(self) -> str:
        return f"{self.person} at {self.ticket_id}"
