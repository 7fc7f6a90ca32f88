"""Approval requests, votes and delegations keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.identity.models import User


def person(name: str) -> User:
    """Somebody with an account."""
    return User.objects.get_or_create(username=name, defaults={"email": f"{name}@example.org"})[0]


class TestApprovalRequests(KindChecks):
    path = "approval-requests"
    invalid = {
        "kind": "unicorns",
        "record": "nowhere",
        "subject": "",
        "people": ["nobody-here"],
        "quorum": -1,
        "hours": 0,
    }

    def valid(self, n: int) -> dict[str, Any]:
        person("bea")
        site = self.send(
            "post", "/api/sites/", {"name": f"attic {n} {self.send('get', '/api/sites/')['count']}"}, 201
        )
        return {"kind": "sites", "record": site["id"], "subject": f"close the attic {n}", "people": ["bea"]}


class TestVotes(KindChecks):
    path = "votes"

    def make(self, start: int, stop: int) -> list[Any]:
        """They come with requests."""
        asked = TestApprovalRequests()
        asked.send = self.send  # type: ignore[method-assign]
        made = [
            self.send("post", "/api/approval-requests/", asked.valid(n), 201)["id"]
            for n in range(start, stop)
        ]
        return [self.get(step__request=pk)["results"][0]["id"] for pk in made]


class TestDelegations(KindChecks):
    path = "delegations"
    invalid = {"person": "nobody-here", "delegate": "bea", "ends_at": "2026-01-01T00:00:00Z"}
    changes = {"ends_at": "2031-01-01T00:00:00Z", "reason": "a long holiday"}

    def valid(self, n: int) -> dict[str, Any]:
        person("bea"), person("cleo")
        return {"person": "bea", "delegate": "cleo", "begins_at": f"2027-01-{n % 28 + 1:02}T00:00:00Z",
                "ends_at": "2030-01-01T00:00:00Z", "reason": f"holiday {n}"}  # fmt: skip
