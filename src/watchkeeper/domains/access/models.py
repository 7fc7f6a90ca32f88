"""Organisations, teams, roles, who was granted which role, and the policies that say what a role may do."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class OrganisationKind(models.TextChoices):
    """What an organisation is to the one that runs this."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
    PARTNER = "partner"
    AUDITOR = "auditor"


class Organisation(models.Model):
    """A part of the enterprise, or one that it works with or for."""

    name = models.CharField(max_length=150, unique=True)
    kind = models.CharField(max_length=16, choices=OrganisationKind, default=OrganisationKind.INTERNAL)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
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


class Role(models.Model):
    """What somebody does for the organisation. Policies name it, so its name stays."""

    name = models.CharField(max_length=150, unique=True)
    purpose = models.TextField(blank=True, default="")
    home_page = models.CharField(max_length=200, default="/")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Policy(models.Model):
    """Rules in Cedar. `version` counts the changes; what they were is in the audit trail."""

    name = models.CharField(max_length=150, unique=True)
    text = models.TextField()
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


class Grants(models.QuerySet[Any]):
    """Grants by when they count."""

    def in_force(self, now: Any) -> Grants:
        """Those that have begun and not ended."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), valid_from__lte=now)


class Grant(models.Model):
    """A role for a user, a team, or everyone who has no other grant; everywhere, or for the records of one
    organisation or team. It counts from `valid_from` until `expires_at`, to the moment."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="grants")
    everyone_else = models.BooleanField(default=False)
    in_organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="scoped_grants"
    )
    in_team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="scoped_grants"
    )
    reason = models.TextField()
    valid_from = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, default=None)
    approved_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = Grants.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="grant_has_one_holder",
                condition=Q(user__isnull=False, team=None, everyone_else=False)
                | Q(user=None, team__isnull=False, everyone_else=False)
                | Q(user=None, team=None, everyone_else=True),
            ),
            models.CheckConstraint(
                name="grant_has_one_scope", condition=Q(in_organisation=None) | Q(in_team=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} for {self.holder}{self.where}"

    @property
    def holder(self) -> str:
        """For whom."""
        if self.everyone_else:
            return "everyone without another grant"
        return f"team {self.team}" if self.team else str(self.user)

    @property
    def where(self) -> str:
        """For which records, as the end of a sentence; empty for all."""
        if self.in_organisation:
            return f" in organisation {self.in_organisation}"
        return f" in team {self.in_team}" if self.in_team else ""
