"""Service level objectives and reports keep what every kind promises; what cannot be followed is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.kernel.kind_checks import KindChecks, problem


class TestObjectives(KindChecks):
    path = "service-level-objectives"
    invalid = {"name": "two words", "target": 100, "query": "sum(", "zone": "Mars/Olympus", "alerts": "fast"}
    changes = {"target": 99.5, "window_count": 7, "enabled": False, "alerts": "2 over 1h and 5m: warning"}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"answers-{n}",
            "query": 'sum(increase(r{code="200"}[5m]))',
            "total_query": "sum(increase(r[5m]))",
        }

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"total_query": ""}, "total_query"),
            ({"indicator": "threshold"}, "limit"),
            ({"window_count": 3, "window_unit": "year"}, "window_count"),
            ({"aligned": True, "window_unit": "hour"}, "window_unit"),
            ({"alerts": "14.4 over 5m and 1h: critical"}, "alerts"),
            ({"alerts": "14.4 over 1h and 5m: loud"}, "alerts"),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_its_field(self, sent: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **sent}, content_type="application/json")
        assert field in problem(answer, 400)["errors"]


class TestReports(KindChecks):
    path = "service-reports"
    invalid = {"month": "2999-01-01", "agreement": 987_654}

    def valid(self, n: int) -> dict[str, Any]:
        calendar = self.send("post", "/api/calendars/", {"name": f"c{n}"}, 201)["id"]
        agreement = self.send(
            "post", "/api/service-level-agreements/", {"name": f"a{n}", "calendar": calendar}, 201
        )
        return {"month": timezone.now().date().replace(day=1).isoformat(), "agreement": agreement["id"]}
