"""The kinds of the catalogue and of onboarding keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.identity.models import User


class TestCatalogItems(KindChecks):
    path = "catalog-items"
    invalid = {"name": "", "currency": "euros", "billing": "often", "form": {"type": "text"}, "record_kind": "tickets",
               "lease_days": 0, "owner": "nobody-here"}  # fmt: skip
    changes = {
        "category": "Phones",
        "enabled": False,
        "form": {"type": "object", "properties": {"a": {"type": "string"}}},
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"laptop {n}", "category": "Computers", "description": "a *light* one"}


class TestCatalogApprovals(KindChecks):
    path = "catalog-approvals"
    invalid = {"name": "", "item": 987_654, "needed": 0}
    changes = {"name": "security", "position": 2}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username="boss")
        made = self.send("post", "/api/catalog-items/", {"name": f"thing {n}"}, 201)
        return {"item": made["id"], "name": f"budget {n}", "people": ["boss"]}


class TestCatalogTasks(KindChecks):
    path = "catalog-tasks"
    invalid = {"title": "", "item": 987_654, "hours": -1, "person": "nobody-here"}
    changes = {"title": "install it", "hours": 16.0, "step": 2}

    def valid(self, n: int) -> dict[str, Any]:
        made = self.send("post", "/api/catalog-items/", {"name": f"thing {n}"}, 201)
        return {"item": made["id"], "title": f"order {n}"}


class TestOrders(KindChecks):
    path = "orders"
    invalid = {"item": 987_654, "person": "nobody-here", "answers": "yes"}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username="bob")
        made = self.send("post", "/api/catalog-items/", {"name": f"thing {n}"}, 201)
        return {"item": made["id"], "person": "bob", "answers": {}}


class TestRequestTasks(KindChecks):
    path = "request-tasks"
    invalid = {"title": "", "ticket": 987_654, "person": "nobody-here"}
    changes = {"title": "install it", "description": "in room 5"}

    def valid(self, n: int) -> dict[str, Any]:
        ticket = self.send("post", "/api/tickets/", {"title": f"wish {n}", "type": "request"}, 201)
        return {"ticket": ticket["id"], "title": f"order {n}"}


class TestLeases(KindChecks):
    path = "leases"
    invalid = {"what": "", "sort": "wish", "holder": "nobody-here", "item": "nothing"}
    changes = {"what": "a big laptop", "sort": "seat"}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username="bob")
        return {"what": f"laptop {n}", "holder": "bob", "sort": "hardware"}


class TestPositions(KindChecks):
    path = "positions"
    invalid = {"name": "", "hardware_hours": -1, "teams": [987_654]}
    changes = {"name": "dba", "description": "keeps databases", "software_hours": 20.0}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"developer {n}"}


class TestOnboardings(KindChecks):
    path = "onboardings"
    invalid = {"sort": "visitor", "day": "soon", "position": 987_654, "manager": "nobody-here"}
    changes = {"full_name": "Ina New", "day": "2030-02-01"}

    def valid(self, n: int) -> dict[str, Any]:
        found = self.get("/api/positions/")["results"]
        position = found[0] if found else self.send("post", "/api/positions/", {"name": "developer"}, 201)
        return {"username": f"new{n}", "position": position["id"], "day": "2030-01-07"}
