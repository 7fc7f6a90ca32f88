"""Organisations, teams and roles: who answers for each, and how a role is asked for."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

LONGEST = 3650  # days: ten years


class OrganisationKind(models.TextChoices):
    """What an organisation is to the one that runs this."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
    PARTNER = "partner"
    AUDITOR = "auditor"


class Owned(models.Model):
    """Something that people answer for."""

    owners = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="owned_%(class)ss",
        help_text="who answers for it, and is asked when somebody wants access",
    )

    class Meta:
        abstract = True


class Organisation(Owned):
    """A part of the enterprise, or one that it works with or for."""

    name = models.CharField(max_length=150, unique=True)
    kind = models.CharField(max_length=16, choices=OrganisationKind, default=OrganisationKind.INTERNAL)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(Owned):
    """People who work together."""

    name = models.CharField(max_length=150, unique=True)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="teams"
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="teams")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Approvers(models.TextChoices):
    """Who is asked when a role is asked for."""

    ROLE_OWNERS = "role_owners", "the role's owners"
    SCOPE_OWNERS = "scope_owners", "the owners of the organisation or team it is asked for"
    TEAM_OWNERS = "team_owners", "the owners of the teams of who asks"


def usual_approvers() -> list[str]:
    """Of a role that says nothing else."""
    return [Approvers.ROLE_OWNERS.value, Approvers.SCOPE_OWNERS.value]


class Role(Owned):
    """What somebody does for the organisation. Policies name it, so its name stays."""

    name = models.CharField(max_length=150, unique=True)
    purpose = models.TextField(blank=True, default="")
    home_page = models.CharField(max_length=200, default="/")
    requestable = models.BooleanField("can be asked for", default=True)
    approvers = models.JSONField("who approves", default=usual_approvers, blank=True)
    approvals_needed = models.PositiveSmallIntegerField("approvals needed", default=1)
    longest_days = models.PositiveSmallIntegerField(
        "longest, in days",
        null=True,
        blank=True,
        default=None,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST)],
        help_text="empty: until it is taken back",
    )
    emergency_minutes = models.PositiveSmallIntegerField(
        "in an emergency, minutes",
        default=0,
        validators=[MaxValueValidator(24 * 60)],
        help_text="for how long it can be taken at once; 0: not at all",
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
