"""The kinds about e-mail of the desk keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks, problem


class TestMailAccounts(KindChecks):
    path = "mail-accounts"
    invalid = {
        "address": "nobody",
        "queue": 987_654,
        "way": "pigeon",
        "port": 0,
        "interval": 1,
        "host": "",
        "user": "",
    }
    changes = {
        "enabled": False,
        "folder": "Desk",
        "then": "seen",
        "smtp_host": "smtp.example.org",
        "type": "request",
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"desk {n}",
            "address": f"desk{n}@example.org",
            "host": "imap.example.org",
            "user": "desk",
        }

    def test_passwords_are_never_shown(self) -> None:
        body = {**self.valid(1), "password": "pass-in", "smtp_password": "pass-out"}
        made = self.send("post", self.url, body, 201)
        assert "pass-" not in str(made) and "pass-" not in str(self.get(self.one(made["id"])))

    def test_moving_needs_a_folder(self) -> None:
        (one,) = self.make(1, 2)
        answer = self.writer.patch(self.one(one), {"then": "moved"}, content_type="application/json")
        assert "move_to" in str(problem(answer, 400))


class TestMailTemplates(KindChecks):
    path = "mail-templates"
    invalid = {"sort": "poem", "subject": "$nothing", "text": "100 $"}
    changes = {"text": "$number is done"}

    def valid(self, n: int) -> dict[str, Any]:
        queue = self.send("post", "/api/queues/", {"name": f"queue {n}"}, 201)["id"]
        return {"sort": "resolution", "queue": queue, "subject": f"{n} [$number]", "text": "$text"}


class TestParticipants(KindChecks):
    path = "ticket-participants"
    invalid = {"ticket": 987_654, "address": "nobody"}
    changes = {"name": "Bob"}

    def valid(self, n: int) -> dict[str, Any]:
        if not hasattr(self, "ticket"):
            self.ticket = self.send("post", "/api/tickets/", {"title": "it is slow"}, 201)["id"]
        return {"ticket": self.ticket, "address": f"bob{n}@example.net"}


class TestUnreachableAddresses(KindChecks):
    path = "unreachable-addresses"
    invalid = {"address": "nobody"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"address": f"gone{n}@example.net", "why": "550 no such user"}
