"""Campaigns, reviews and their lines, declared."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from watchkeeper.domains.access import reviewing
from watchkeeper.domains.access.models import Review, ReviewCampaign, ReviewLine
from watchkeeper.domains.access.requesting import WithNoteSerializer, WithReasonSerializer
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.kernel.states import Transition, machine


class CampaignSerializer(RecordSerializer):
    """When the first review begins has to be said only where there is more than one."""

    class Meta:
        model = ReviewCampaign
        fields = ("id", "name", "owner", "roles", "teams", "organisations", "reviewers", "days", "unanswered",
                  "interval_days", "next_at", "enabled")  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One that repeats begins at once unless it says when."""
        repeats = attrs.get("interval_days") and not attrs.get("next_at")
        if repeats and (self.instance is None or self.instance.next_at is None):
            attrs["next_at"] = timezone.now()
        return attrs


def _begin(actor: Actor, campaign: ReviewCampaign, _: dict[str, Any]) -> Done:
    reviewing.begin(actor, campaign)
    return Done()


def _close(actor: Actor, review: Review, _: dict[str, Any]) -> Done:
    reviewing.close(actor, review)
    return Done()


plain(
    ReviewCampaign, "review campaign", "review-campaigns", "name owner reviewers interval_days next_at enabled",
    serializer=CampaignSerializer,
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    actions=(
        Action("begin", "Begin a review now", _begin, scope=Scope.ADMIN, audited=False,
               confirm="Everybody who has to answer is told."),
    ),
    related={"reviews": lambda campaign: campaign.reviews.all()},
)  # fmt: skip

plain(
    Review, "review", "reviews", "campaign number state opened_at due_at closed_at",
    search=("campaign__name",),
    ordering=("-id",),
    writable=(),
    allow=frozenset(),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    policy_attributes=("campaign__name", "state"),
    actions=(
        Action("close", "Close", _close, scope=Scope.ADMIN, audited=False,
               offered=lambda review: review.state == "open"),
    ),
    related={"review-lines": lambda review: review.lines.all()},
)  # fmt: skip

plain(
    ReviewLine, "review line", "review-lines",
    "role_name holder where reviewer:Who_answers verdict note decided_by",
    fields=("id", "review", "role_name", "holder", "where", "evidence", "grant", "user", "reviewer", "verdict", "note",
            "decided_by", "decided_at"),
    filters={"review": ["exact"], "verdict": ["exact", "in"], "reviewer": ["exact"], "user": ["exact"]},
    search=("role_name", "holder"),
    ordering=("id",),
    orderable=("role_name", "holder", "decided_at"),
    writable=(),
    allow=frozenset(),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    policy_attributes=("reviewer__username", "verdict", "review__campaign__name"),
    actions=machine(
        "verdict",
        Transition("keep", "Keep", ("open",), "kept", scope=Scope.ADMIN, fields=WithNoteSerializer, then=reviewing.kept),
        Transition("revoke", "Revoke", ("open",), "revoked", scope=Scope.ADMIN, fields=WithReasonSerializer,
                   then=reviewing.revoked),
    ),
)  # fmt: skip
