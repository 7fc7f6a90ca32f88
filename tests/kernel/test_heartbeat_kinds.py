"""Heartbeats keep what every kind promises, and addresses that cannot be called are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains.heartbeats.models import Heartbeat
from watchkeeper.kernel.models import AuditEntry


class TestHeartbeats(KindChecks):
    path = "heartbeats"
    invalid = {"interval": 1, "method": "put", "url": "ftp://example.org/x", "patience": 0}
    changes = {"enabled": False, "method": "post", "interval": 60}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"outside {n}", "url": f"https://example.org/ping/{n}"}

    @pytest.mark.parametrize("field", ["url", "fail_url"])
    def test_what_is_no_address_is_refused(self, field: str) -> None:
        body = {**self.valid(1), field: "https://user:secret@example.org/"}
        answer = self.writer.post(self.url, body, content_type="application/json")
        assert field in str(problem(answer, 400))

    def test_addresses_are_sealed_and_never_shown(self) -> None:
        (one,) = self.make(1, 2)
        shown = self.send("patch", self.one(one), {"fail_url": "https://example.org/fail/1"})
        assert (shown["calls"], "/ping" in str(shown), "/fail" in str(shown)) == (
            "https://example.org/…",
            False,
            False,
        )
        kept = Heartbeat.objects.get(pk=one)
        assert (kept.url, kept.fail_url) == ("https://example.org/ping/1", "https://example.org/fail/1")
        entry = AuditEntry.objects.order_by("-id")[0]
        assert "/fail" not in str(entry.after)

    def test_a_new_one_needs_an_address(self) -> None:
        answer = self.writer.post(self.url, {"name": "nowhere"}, content_type="application/json")
        assert "url" in str(problem(answer, 400))

    def test_what_came_of_it_cannot_be_sent(self) -> None:
        (one,) = self.make(1, 2)
        refused = self.writer.patch(self.one(one), {"state": "beating"}, content_type="application/json")
        assert "state" in str(problem(refused, 400))
