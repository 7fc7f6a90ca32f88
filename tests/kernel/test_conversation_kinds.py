"""Ticket messages keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks


class TestTicketMessages(KindChecks):
    path = "ticket-messages"
    invalid = {"ticket": 987_654, "sort": "shout", "body": ""}

    def valid(self, n: int) -> dict[str, Any]:
        if not hasattr(self, "ticket"):
            self.ticket = self.send("post", "/api/tickets/", {"title": "it is slow"}, 201)["id"]
        return {"ticket": self.ticket, "sort": "note", "body": f"look at rack {n}"}
