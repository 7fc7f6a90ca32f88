"""The kinds of record of access that are made through the API keep the promises of every kind."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.access.models import Grant, Policy, Review, ReviewCampaign, Role, SeparationRule
from watchkeeper.domains.identity.models import User


class TestAccessRequests(KindChecks):
    path = "access-requests"
    invalid = {"role": 4711, "days": 0, "attribute": "colour"}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username="root", is_administrator=True)
        user, _ = User.objects.get_or_create(username=f"person{n}")
        return {"user": user.pk, "role": Role.objects.get(name="requester").pk, "reason": f"reason {n}"}


class TestSeparationRules(KindChecks):
    path = "separation-rules"
    invalid = {"roles": [], "why": ""}
    changes = {"why": "Another reason.", "same_scope": True}

    def valid(self, n: int) -> dict[str, Any]:
        roles = Role.objects.filter(name__in=("requester", "external auditor"))
        return {"name": f"rule {n}", "why": "Because.", "roles": [r.pk for r in roles]}


class TestPolicyTests(KindChecks):
    path = "policy-tests"
    invalid = {"kind": "itmes", "action": "fly", "role": 4711}
    changes = {"action": "change"}

    def valid(self, n: int) -> dict[str, Any]:  # noqa: ARG002
        return {"policy": Policy.objects.get().pk, "role": Role.objects.get(name="requester").pk, "may": False,
                "action": "read", "kind": "items"}  # fmt: skip


def person(n: int) -> User:
    """Somebody, made once."""
    return User.objects.get_or_create(username=f"person{n}")[0]


class TestOrganisations(KindChecks):
    path = "organisations"
    invalid = {"kind": "club", "parent": 4711, "name": "", "owners": [4711]}
    changes = {"kind": "partner"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"organisation {n}", "kind": "customer", "owners": [person(n).pk]}


class TestTeams(KindChecks):
    path = "teams"
    invalid = {"organisation": 4711, "name": "", "members": ["x"]}
    changes = {"name": "renamed"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"team {n}", "members": [person(n).pk]}


class TestRoles(KindChecks):
    path = "roles"
    invalid = {
        "approvers": ["passers-by"],
        "home_page": "https://elsewhere.example.org/",
        "approvals_needed": -1,
    }
    changes = {"purpose": "Another one.", "requestable": False}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"role {n}", "purpose": f"purpose {n}"}


class TestGrants(KindChecks):
    path = "grants"
    invalid = {
        "role": 4711,
        "user": 4711,
        "reason": "",
        "attribute": "colour",
        "expires_at": "2020-01-01T00:00:00Z",
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {"role": Role.objects.get(name="requester").pk, "user": person(n).pk, "reason": f"reason {n}"}


class TestPolicies(KindChecks):
    path = "policies"
    invalid = {"text": "permit (principal", "name": ""}
    changes = {"text": 'permit (principal, action == Action::"read", resource == Kind::"teams");'}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"policy {n}",
            "text": 'permit (principal, action == Action::"read", resource == Kind::"roles");',
        }


class TestPolicyDrafts(KindChecks):
    path = "policy-drafts"
    invalid = {"text": "permit (principal", "policy": 4711}
    changes = {"note": "why"}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"draft {n}",
            "text": 'permit (principal, action == Action::"read", resource == Kind::"roles");',
        }


class TestSeparationExceptions(KindChecks):
    path = "separation-exceptions"
    invalid = {"rule": 4711, "user": 4711, "reason": "", "expires_at": "once"}

    def valid(self, n: int) -> dict[str, Any]:
        rule = SeparationRule.objects.get_or_create(name="apart", why="Because.")[0]
        rule.roles.set(Role.objects.filter(name__in=("requester", "external auditor")))
        return {
            "rule": rule.pk,
            "user": person(n).pk,
            "reason": f"reason {n}",
            "expires_at": "2099-01-01T00:00:00Z",
        }


class TestReviewCampaigns(KindChecks):
    path = "review-campaigns"
    invalid = {"owner": 4711, "reviewers": "passers-by", "days": 0, "unanswered": "shrug"}
    changes = {"days": 5, "unanswered": "escalate"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"campaign {n}", "owner": person(n).pk, "days": 14}


class Rounds(KindChecks):
    """Made by beginning a campaign about one grant."""

    def begin(self, n: int) -> Review:
        """The review of a campaign of its own."""
        role = Role.objects.get_or_create(name=f"reviewed {n}")[0]
        Grant.objects.create(
            role=role, user=person(n), reason="test", approved_by="test", valid_from=timezone.now()
        )
        campaign = ReviewCampaign.objects.create(name=f"round {n}", owner=person(100 + n))
        campaign.roles.add(role)
        self.send("post", f"/api/review-campaigns/{campaign.pk}/begin/", {})
        return Review.objects.get(campaign=campaign)


class TestReviews(Rounds):
    path = "reviews"

    def make(self, start: int, stop: int) -> list[Any]:
        return [self.begin(n).pk for n in range(start, stop)]


class TestReviewLines(Rounds):
    path = "review-lines"

    def make(self, start: int, stop: int) -> list[Any]:
        return [self.begin(n).lines.get().pk for n in range(start, stop)]
