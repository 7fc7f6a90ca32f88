"""The kinds of record of access that are made through the API keep the promises of every kind."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.access.models import Policy, Role
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
