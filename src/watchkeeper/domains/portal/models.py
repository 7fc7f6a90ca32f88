"""Who sees the tickets of a whole organisation in the portal, and how people found what was done for them."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

WORST, BEST = 1, 5


class Contact(models.Model):
    """Somebody who sees, in the portal, what everybody in the teams of an organisation and of its parts asked for."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="portal_contacts",
        help_text="who sees the tickets",
    )  # fmt: skip
    organisation = models.ForeignKey(
        "access.Organisation", on_delete=models.CASCADE, related_name="portal_contacts",
        help_text="whose tickets: of the people in its teams, and in those of its parts",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["organisation__name", "user__username"]
        verbose_name = "portal contact"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="contact_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.organisation}"


class Survey(models.Model):
    """The question how somebody found what was done about their ticket, and the answer. A ticket is asked about once."""

    ticket = models.OneToOneField("desk.Ticket", on_delete=models.CASCADE, related_name="survey")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="surveys", verbose_name="asked"
    )
    asked_at = models.DateTimeField("asked at", default=timezone.now)
    answered_at = models.DateTimeField("answered", null=True, default=None)
    score = models.PositiveSmallIntegerField(
        null=True, default=None, validators=[MinValueValidator(WORST), MaxValueValidator(BEST)]
    )
    comment = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["requester", "asked_at"], name="survey_of_requester")]

    def __str__(self) -> str:
        return f"survey about {self.ticket}"
