"""Tickets, queues and incident rules keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks, problem


class TestTickets(KindChecks):
    path = "tickets"
    invalid = {
        "type": "wish",
        "impact": 7,
        "urgency": 0,
        "queue": 987_654,
        "title": "",
        "assignee": "nobody-here",
    }
    changes = {"impact": 1, "urgency": 1, "title": "the shop is down", "type": "request"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"title": f"printer {n} prints stars", "description": "since this morning"}

    def test_it_has_a_number_and_a_priority_that_follows_from_impact_and_urgency(self) -> None:
        (one,) = self.make(1, 2)
        made = self.get(self.one(one))
        assert (made["number"], made["priority"], made["status"]) == (f"INC-{one}", 3, "new")
        assert self.send("patch", self.one(one), {"impact": 1, "urgency": 1})["priority"] == 1
        answer = self.writer.patch(self.one(one), {"priority": 5}, content_type="application/json")
        assert "priority" in str(problem(answer, 400))


class TestQueues(KindChecks):
    path = "queues"
    invalid = {"team": 987_654, "agreement": 987_654}
    changes = {"description": "first line"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"desk {n}"}


class TestIncidentRules(KindChecks):
    path = "incident-rules"
    invalid = {"min_severity": "awful", "queue": 987_654, "urgency": 4}
    changes = {"enabled": False, "min_severity": "critical", "words": "shop", "resolves": False}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"rule {n}"}
