"""Grants, the requests and approvals that lead to them, and roles taken in an emergency."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from watchkeeper.domains.access.models.organising import LONGEST, Organisation, Role, Team


class Grants(models.QuerySet[Any]):
    """Grants by when they count."""

    def in_force(self, now: Any) -> Grants:
        """Those that have begun and not ended."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), valid_from__lte=now)


class Scoped(models.Model):
    """For which records: of one organisation or team, or those with one of some values in an attribute; else all."""

    in_organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="scoped_%(class)ss",
        help_text="only for its records and those of its parts; empty: for all",
    )  # fmt: skip
    in_team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="scoped_%(class)ss",
        help_text="only for its records; empty: for all",
    )  # fmt: skip
    attribute = models.CharField(
        "only where", max_length=64, blank=True, default="",
        help_text="an attribute of records, such as site, service or role; empty: for all",
    )  # fmt: skip
    values = models.JSONField("is one of", default=list, blank=True)

    class Meta:
        abstract = True

    @property
    def where(self) -> str:
        """For which records, as the end of a sentence; empty for all."""
        if self.in_organisation:
            return f" in organisation {self.in_organisation}"
        if self.in_team:
            return f" in team {self.in_team}"
        if self.attribute:
            return f" where {self.attribute.replace('_', ' ')} is {' or '.join(self.values)}"
        return ""

    @property
    def scope_key(self) -> tuple[object, ...]:
        """Equal for equal scopes."""
        return (self.in_organisation_id, self.in_team_id, self.attribute, tuple(sorted(self.values)))


class Grant(Scoped):
    """A role for a user, a team, or everyone who has no other grant, for some records or all. It counts from
    `valid_from` until `expires_at`, to the moment."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="grants")
    everyone_else = models.BooleanField(default=False)
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
                name="grant_has_one_scope",
                condition=Q(in_organisation=None, in_team=None)
                | Q(in_organisation=None, attribute="")
                | Q(in_team=None, attribute=""),
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


class RequestState(models.TextChoices):
    """How far a request has come."""

    REQUESTED = "requested"
    APPROVED = "approved"  # by as many as needed, and not granted yet because something is in the way
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    GRANTED = "granted"
    ENDED = "ended"


class AccessRequest(Scoped):
    """A person asks for a role, or for more time with one. It becomes a grant when enough approvers agree."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_requests", verbose_name="for"
    )
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="requests")
    reason = models.TextField()
    days = models.PositiveSmallIntegerField(
        "for how many days",
        null=True,
        blank=True,
        default=None,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST)],
        help_text="empty: until it is taken back",
    )
    extends = models.ForeignKey(
        Grant, null=True, blank=True, on_delete=models.SET_NULL, related_name="extensions",
        help_text="a grant of yours that this one goes on from",
    )  # fmt: skip
    state = models.CharField(max_length=12, choices=RequestState, default=RequestState.REQUESTED)
    needed = models.PositiveSmallIntegerField("approvals needed", default=1)
    note = models.CharField(max_length=500, blank=True, default="")
    grant = models.OneToOneField(
        Grant, null=True, blank=True, default=None, on_delete=models.SET_NULL, related_name="request"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "access request"

    def __str__(self) -> str:
        return f"{self.role} for {self.user}{self.where}"


class Answer(models.TextChoices):
    """Of one who was asked to approve."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    NOT_NEEDED = "not_needed"


class Approval(models.Model):
    """One who is asked whether a request shall be granted, and what they said."""

    request = models.ForeignKey(AccessRequest, on_delete=models.CASCADE, related_name="approvals")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="approvals")
    answer = models.CharField(max_length=12, choices=Answer, default=Answer.OPEN)
    note = models.CharField(max_length=500, blank=True, default="")
    decided_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "approver"], name="approver_asked_once")
        ]

    def __str__(self) -> str:
        return str(self.request)


class EmergencyState(models.TextChoices):
    """Where an emergency stands."""

    ACTIVE = "active"
    ENDED = "ended"
    REVIEWED = "reviewed"


class Emergency(models.Model):
    """A person has taken a role at once, for a short time and with a reason, that somebody else looks at after."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="emergencies")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="emergencies")
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=EmergencyState, default=EmergencyState.ACTIVE)
    grant = models.OneToOneField(Grant, null=True, on_delete=models.SET_NULL, related_name="emergency")
    started_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField("until")
    reviewed_by = models.CharField(max_length=200, blank=True, default="")
    review_note = models.TextField("what the review found", blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["ends_at"], condition=Q(state="active"), name="emergency_due")
        ]
        verbose_name_plural = "emergencies"

    def __str__(self) -> str:
        return f"{self.role} for {self.user} in an emergency"
