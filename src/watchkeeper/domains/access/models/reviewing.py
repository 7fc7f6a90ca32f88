"""Reviews of who has what, roles that nobody may hold together, and what a look at all accounts has found."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.access.models.granting import Grant
from watchkeeper.domains.access.models.organising import LONGEST, Organisation, Role, Team


class Reviewers(models.TextChoices):
    """Who answers the lines of a review."""

    CAMPAIGN_OWNER = "campaign_owner", "the campaign's owner"
    ROLE_OWNERS = "role_owners", "the owners of the role"
    TEAM_OWNERS = "team_owners", "the owners of the holder's teams"


class Unanswered(models.TextChoices):
    """What happens to a line that nobody has answered when it is due."""

    REVOKE = "revoke", "is revoked"
    ESCALATE = "escalate", "goes to the campaign's owner for as long again, then is revoked"


class ReviewCampaign(models.Model):
    """Looks again and again at who has what: which grants, how often, who answers."""

    name = models.CharField(max_length=150, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="review_campaigns"
    )
    roles = models.ManyToManyField(Role, blank=True, related_name="campaigns", help_text="none: every role")
    teams = models.ManyToManyField(
        Team,
        blank=True,
        related_name="campaigns",
        help_text="their members and their own grants; none: everybody",
    )
    organisations = models.ManyToManyField(
        Organisation, blank=True, related_name="campaigns", help_text="people of their teams; none: everybody"
    )
    reviewers = models.CharField(
        "who answers", max_length=16, choices=Reviewers, default=Reviewers.ROLE_OWNERS
    )
    days = models.PositiveSmallIntegerField(
        "days to answer", default=14, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    unanswered = models.CharField(
        "what is not answered", max_length=10, choices=Unanswered, default=Unanswered.REVOKE
    )
    interval_days = models.PositiveSmallIntegerField(
        "every so many days",
        null=True,
        blank=True,
        default=None,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST)],
        help_text="empty: once",
    )
    next_at = models.DateTimeField("next begins", null=True, blank=True, default=None)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "review campaign"

    def __str__(self) -> str:
        return self.name


class ReviewState(models.TextChoices):
    """Whether a review goes on."""

    OPEN = "open"
    CLOSED = "closed"


class Review(models.Model):
    """One round of a campaign."""

    campaign = models.ForeignKey(ReviewCampaign, on_delete=models.CASCADE, related_name="reviews")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=ReviewState, default=ReviewState.OPEN)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True, default=None)
    closed_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="review_once")]

    def __str__(self) -> str:
        return f"{self.campaign}, review {self.number}"


class Verdict(models.TextChoices):
    """On one line of a review."""

    OPEN = "open"
    KEPT = "kept"
    REVOKED = "revoked"
    UNANSWERED = "unanswered", "revoked, unanswered"
    GONE = "gone", "ended meanwhile"


class ReviewLine(models.Model):
    """One grant, or one administrator by the user's own record, and whether it is kept. What it was and how it was
    used is written down when the review begins."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="lines")
    grant = models.ForeignKey(Grant, null=True, on_delete=models.SET_NULL, related_name="review_lines")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="review_lines"
    )
    role_name = models.CharField("role", max_length=150)
    holder = models.CharField("for", max_length=300)
    where = models.CharField("only", max_length=300, blank=True, default="")
    evidence = models.JSONField(default=dict)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="lines_to_review"
    )
    verdict = models.CharField(max_length=12, choices=Verdict, default=Verdict.OPEN)
    note = models.CharField(max_length=500, blank=True, default="")
    decided_by = models.CharField(max_length=200, blank=True, default="")
    decided_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = "review line"

    def __str__(self) -> str:
        return f"{self.role_name} for {self.holder}{self.where}"


class SeparationRule(models.Model):
    """Roles of which nobody may hold more than one."""

    name = models.CharField(max_length=150, unique=True)
    why = models.TextField()
    roles = models.ManyToManyField(Role, related_name="separations", help_text="two or more")
    same_scope = models.BooleanField(
        "only where they meet", default=False,
        help_text="allowed for different organisations, teams or records; not for the same",
    )  # fmt: skip
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "separation rule"

    def __str__(self) -> str:
        return self.name


class SeparationException(models.Model):
    """Somebody may hold roles together that a rule keeps apart, for a reason and a time."""

    rule = models.ForeignKey(SeparationRule, on_delete=models.CASCADE, related_name="exceptions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="separation_exceptions"
    )
    reason = models.TextField()
    expires_at = models.DateTimeField()
    approved_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "separation exception"

    def __str__(self) -> str:
        return f"{self.user} is excepted from {self.rule}"


class Found(models.TextChoices):
    """What can be wrong with an account, a grant or a token."""

    SEPARATION = "separation", "roles that are kept apart"
    DORMANT = "dormant", "account not used"
    HOMELESS = "homeless", "account in no team, with no grant"
    OWNERLESS = "ownerless", "service account without an owner"
    UNUSED_TOKEN = "unused_token", "token not used"
    UNUSED_GRANT = "unused_grant", "grant not used"
    EMPTY_GRANT = "empty_grant", "grant for records that are not there"


class FindingState(models.TextChoices):
    """What became of it."""

    OPEN = "open"
    KEPT = "kept"
    SETTLED = "settled"


class AccessFinding(models.Model):
    """Something about an account, a grant or a token that somebody should look at. Found, kept for a reason until a
    day, and settled, by itself when it is so no more."""

    found = models.CharField("what", max_length=16, choices=Found)
    subject = models.CharField(
        max_length=200
    )  # the kind and key of what it is about: found again, it is the same
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="access_findings"
    )
    grant = models.ForeignKey(Grant, null=True, on_delete=models.CASCADE, related_name="findings")
    token = models.ForeignKey(
        "identity.ApiToken", null=True, on_delete=models.CASCADE, related_name="findings"
    )
    rule = models.ForeignKey(SeparationRule, null=True, on_delete=models.CASCADE, related_name="findings")
    detail = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=FindingState, default=FindingState.OPEN)
    found_at = models.DateTimeField()
    kept_until = models.DateTimeField(null=True, default=None)
    note = models.CharField("reason", max_length=500, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["state", "-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["found", "subject"], name="found_once")]
        verbose_name = "access finding"

    def __str__(self) -> str:
        return self.detail
