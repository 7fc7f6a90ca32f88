"""Changes, their models, freezes, approval rules, maintenance plans and work orders keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.identity.models import User


class TestChanges(KindChecks):
    path = "changes"
    invalid = {"type": "wild", "title": "", "owner": "nobody-here", "team": 987_654, "job": "no-such-job",
               "ends_at": "2026-01-01T00:00:00Z", "about_kind": "unicorns"}  # fmt: skip
    changes = {
        "title": "another",
        "implementation": "2. Do it",
        "automatic": True,
        "type": "emergency",
        "exception": "now",
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {"title": f"replace disk {n}", "implementation": "1. Do it", "starts_at": "2030-01-01T10:00:00Z",
                "ends_at": "2030-01-01T11:00:00Z"}  # fmt: skip


class TestChangeModels(KindChecks):
    path = "change-models"
    invalid = {"minutes": 0, "job": "no-such-job", "team": 987_654}
    changes = {"enabled": False, "implementation": "other", "minutes": 5}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"reboot {n}", "implementation": "reboot it"}


class TestFreezes(KindChecks):
    path = "freezes"
    invalid = {"ends_at": "2026-01-01T00:00:00Z", "calendar": 987_654}
    changes = {"strict": False, "item_kinds": "devices", "reason": "sales"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"freeze {n}", "begins_at": "2030-12-20T00:00:00Z", "ends_at": "2031-01-03T00:00:00Z"}


class TestApprovalRules(KindChecks):
    path = "change-approval-rules"
    invalid = {"risk": "awful", "position": 0, "people": ["nobody-here"], "quorum": -1, "hours": 0}
    changes = {"risk": "high", "position": 2, "quorum": 2, "hours": 4}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username="bea", defaults={"email": "bea@example.org"})
        return {"name": f"board {n}", "risk": "low", "people": ["bea"]}


class TestMaintenancePlans(KindChecks):
    path = "maintenance-plans"
    invalid = {"trigger": "mood", "rule": "NOW", "zone": "Mars", "starts_at": None}
    changes = {"enabled": False, "checklist": "fan", "lead_days": 1, "due_days": 3}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"clean {n}",
            "item_kind": "host",
            "rule": "FREQ=MONTHLY",
            "starts_at": "2030-01-01T10:00:00Z",
        }


class TestWorkOrders(KindChecks):
    path = "work-orders"
    invalid = {"kind": "wish", "title": "", "assignee": "nobody-here", "item": "nowhere"}
    changes = {"title": "another", "kind": "preventive", "checklist": "[ ] fan"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"title": f"mend the fan {n}"}
