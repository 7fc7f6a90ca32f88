"""Capacity rules keep what every kind promises, and what is theirs alone."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks, problem

OURS = {"name": "Ours", "measure": "recorded", "date": "devices.warranty_until"}


class TestCapacityRules(KindChecks):
    path = "capacity-rules"
    invalid = {"measure": "dice", "labels": "a=b", "lead_days": 91, "limit_value": -1}
    changes = {"lead_days": 30.0, "enabled": False, "limit_value": 900.0}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"Licences {n}",
            "measure": "used",
            "metric": "license_seats_used",
            "limit_value": 500.0,
        }

    def test_what_is_needed_is_named(self) -> None:
        for more, field in (
            ({"metric": ""}, "metric"), ({"limit_value": None}, "limit_value"), ({"measure": "free"}, "limit_metric"),
            ({"measure": "recorded"}, "date"), ({"lead_days": 120}, "lead_days"),
        ):  # fmt: skip
            answer = self.writer.post(self.url, {**self.valid(0), **more}, content_type="application/json")
            assert field in problem(answer, 400)["errors"], more
        self.send("post", self.url, {**OURS, "lead_days": 400}, 201)

    def test_some_are_there_from_the_start(self) -> None:
        names = {r["name"] for r in self.get(limit=100)["results"]}
        assert {
            "File systems",
            "Memory",
            "Certificates",
            "Device warranties",
            "Database connections",
        } <= names
