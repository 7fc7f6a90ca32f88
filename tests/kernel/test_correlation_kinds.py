"""Grouping rules and correlation settings keep what every kind promises; a rule can be tried, a setting be used and taken
back, and analysis is told of both."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domains.analysis_structs import NOW, alert
from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains import correlation
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.jobs import port as jobs
from watchkeeper.model.act import ActKind

CONDITION = "record.labels.site == 'north' && record.severity == 'critical'"


class TestGroupingRules(KindChecks):
    path = "grouping-rules"
    invalid = {"condition": "record.name ==", "window_seconds": 0, "at_least": 0, "group_by": 7}
    changes = {"enabled": False, "position": 5, "condition": "record.name == 'Down'", "group_by": ["item"],
               "window_seconds": 60, "at_least": 3, "parent_alert": "Down"}  # fmt: skip

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"rule {n}", "condition": CONDITION, "group_by": ["site"]}

    @pytest.mark.parametrize(
        "condition", ["", "record.", "event.act == 'fire'", "nobody == 1", "foo(record.name)"]
    )
    def test_what_could_never_be_true_is_refused(self, condition: str) -> None:
        answer = self.writer.post(
            self.url, {**self.valid(1), "condition": condition}, content_type="application/json"
        )
        assert "condition" in problem(answer, 400)["errors"]

    def test_analysis_is_given_the_rules_that_are_on(self) -> None:
        self.send("post", self.url, self.valid(1), 201)
        self.send("post", self.url, {**self.valid(2), "enabled": False}, 201)
        told = [a for a in correlation.load(NOW) if a.kind is ActKind.GROUPING]
        assert [a.data["rule"]["name"] for a in told] == ["rule 1"]
        assert told[0].data["rule"]["group_by"] == ("site",)

    def test_a_rule_is_tried_on_the_last_alerts(self) -> None:
        found = [
            alert(fingerprint=f"{n:016x}", labels={"site": "north" if n % 3 else "south"}, situation="")
            for n in range(6)
        ]
        AnalysisWriter().write({a.fingerprint: a for a in found}, {}, [], [], offset=1, now_ms=NOW)
        body = {"condition": "record.labels.site == 'north'", "group_by": ["site"]}
        tried = self.send("post", f"{self.url}try/", body)
        assert (tried["looked_at"], tried["matched"], tried["situations"]) == (6, 4, 1)
        first = [f"{n:016x}" for n in (5, 4, 2)]
        assert tried["groups"] == [{"same": "site north", "alerts": 4, "first": first}]
        tried = self.send("post", f"{self.url}try/", {"condition": "record.labels.rack == '1'"})
        assert tried["matched"] == 0 and tried["reasons"][0]["alerts"] == 6
        answer = self.writer.post(
            f"{self.url}try/", {"condition": "record.name ="}, content_type="application/json"
        )
        assert "condition" in problem(answer, 400)["errors"]


class TestCorrelationSettings(KindChecks):
    path = "correlation-settings"
    invalid = {"pause_seconds": 1, "fade_seconds": 0, "evidence": 101, "name": ""}
    changes = {"description": "for the nights", "pause_seconds": 120, "fade_seconds": 60, "evidence": 30}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"setting {n}", "pause_seconds": 300}

    def _parameters(self) -> dict[str, Any]:
        [act] = [a for a in correlation.load(NOW) if a.kind is ActKind.CORRELATION]
        found: dict[str, Any] = act.data.get("parameters", {})
        return found

    def test_what_is_used_is_told_and_can_be_taken_back(self) -> None:
        one, two = (
            self.send("post", self.url, {**self.valid(n), "pause_seconds": 100 * n}, 201) for n in (1, 2)
        )
        assert self._parameters() == {}
        self.send("post", f"{self.url}{one['id']}/use/", {})
        self.send("post", f"{self.url}{two['id']}/use/", {})
        assert self._parameters()["pause_ms"] == 200_000
        assert [s["in_use"] for s in self.get(ordering="name")["results"]] == [False, True]
        self.send("post", f"{self.url}{two['id']}/undo/", {})
        assert self._parameters()["pause_ms"] == 100_000
        self.send("post", f"{self.url}{one['id']}/undo/", {})
        assert self._parameters() == {}

    def test_a_preview_is_a_job_that_says_what_would_be_different(self) -> None:
        made = self.send("post", self.url, {**self.valid(1), "pause_seconds": 10}, 201)
        assert jobs.kinds()["preview-correlation"].needs == ("read", "alerts")
        started = self.send("post", f"{self.url}{made['id']}/preview/", {"days": 3})
        job = self.get(f"/api/jobs/{started['job']}/")
        assert job["arguments"] == {"setting": made["id"], "days": 3}
