"""Threshold rules and their overrides keep what every kind promises, and are refused where they could not work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.kind_checks import KindChecks, problem


class TestThresholdRules(KindChecks):
    path = "threshold-rules"
    invalid = {
        "metric": "",
        "labels": "a=b",
        "comparison": "=>",
        "for_seconds": -1,
        "severity": "bad",
        "runbook": "x",
    }
    changes = {"enabled": False, "labels": 'job=~"db.*"', "comparison": ">=", "level": 95.5, "recovery": 94.0,
               "severity": "critical", "for_seconds": 60}  # fmt: skip

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"disk {n}",
            "metric": "disk.used",
            "labels": 'device!="lo"',
            "level": 90.0,
            "recovery": 80.0,
        }

    @pytest.mark.parametrize(("body", "field"), [
        ({"level": None}, "level"),
        ({"recovery": 91.0}, "recovery"),
        ({"comparison": "<"}, "recovery"),
        ({"comparison": "==", "recovery": 90.0}, "recovery"),
        ({"kind": "absence", "for_seconds": 0}, "for_seconds"),
        ({"labels": 'a=~"("'}, "labels"),
        ({"metric": "no spaces"}, "metric"),
    ])  # fmt: skip
    def test_what_could_not_work_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **body}, content_type="application/json")
        assert field in problem(answer, 400)["errors"]


class TestThresholdOverrides(KindChecks):
    path = "threshold-overrides"
    invalid = {"labels": "a=b", "for_seconds": -1, "threshold_rule": 0}
    changes = {"labels": 'job="web"', "level": 99.0, "for_seconds": 60}

    def valid(self, n: int) -> dict[str, Any]:
        rule = {"name": f"disk {n}", "metric": "disk.used", "level": 90.0, "recovery": 80.0}
        found = self.get("/api/threshold-rules/", name=rule["name"])["results"]
        made = found[0] if found else self.send("post", "/api/threshold-rules/", rule, 201)
        return {"threshold_rule": made["id"], "item_kind": "host", "level": 95.0}

    @pytest.mark.parametrize(("body", "field"), [
        ({"item_kind": ""}, "item"),
        ({"level": None}, "level"),
        ({"recovery": 96.0}, "recovery"),
        ({"item": "nobody"}, "item"),
    ])  # fmt: skip
    def test_what_could_not_work_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **body}, content_type="application/json")
        assert field in problem(answer, 400)["errors"]


RULES = """# how many are up
- record: job:up:sum
  expr: sum by (job) (up)
- alert: Down
  expr: up == 0
  for: 5m
  annotations: {summary: '{{ $labels.instance }} is down'}
"""


class TestRuleGroups(KindChecks):
    path = "rule-groups"
    invalid = {"interval_seconds": 0, "series_limit": -1, "rules": "- alert: A\n  expr: up ==", "name": ""}
    changes = {
        "enabled": False,
        "interval_seconds": 30,
        "series_limit": 5,
        "rules": "- {record: a, expr: b}\n",
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"group {n}", "source": "hosts.yml", "interval_seconds": 15, "rules": RULES}

    @pytest.mark.parametrize(("rules", "said"), [
        ("- alert: A\n  expr: |\n    limitk(2, up)\n", "line 2"),
        ("- alert: A\n  expr: up\n  annotations: {s: '{{ define \"x\" }}'}", "define"),
        ("- alert: A\n  expr: up\n  labels: {s: '{{ $nothing }}'}", "$nothing"),
        ("- record: a\n  expr: up\n  for: 1m", "line 3"),
        ("- record: a b\n  expr: up", "metric"),
        ("- alert: A\n  expr: up[5m]", "matrix"),
        ("- alert: A\n  expr: up\n  fore: 5m", "fore"),
        ("- alert: A\n  expr: up\n  for: soon", "soon"),
        ("- alert: A\n  record: b\n  expr: up", "either"),
        ("- alert: A\n  expr: up{a=~\"(\"}", "regex"),
        ("rules: [", "YAML"),
    ])  # fmt: skip
    def test_what_could_not_be_evaluated_is_refused_with_its_line(self, rules: str, said: str) -> None:
        answer = self.writer.post(
            self.url, {**self.valid(1), "rules": rules}, content_type="application/json"
        )
        assert said in str(problem(answer, 400)["errors"]["rules"])

    def test_a_file_becomes_groups_and_replaces_those_it_brought(self) -> None:
        one = "groups:\n- name: a\n  interval: 30s\n  rules:\n  # why\n  - record: x\n    expr: up\n"
        two = one + "- name: b\n  rules:\n  - {alert: A, expr: up == 0}\n  - {alert: A, expr: up == 1}\n"
        url = f"{self.url}import/"
        done = self.send("post", url, {"file": "f.yml", "text": two})
        assert done["created"] == ["a", "b"] and "A of b" in done["odd"][0]
        [a] = self.get(name="a")["results"]
        assert a["interval_seconds"] == 30 and a["rules"] == "# why\n- record: x\n  expr: up\n", a["rules"]
        done = self.send("post", url, {"file": "f.yml", "text": one})
        assert done == {"created": [], "changed": [], "removed": ["b"], "same": ["a"], "odd": []}
        self.send("post", url, {"file": "other.yml", "text": one})
        assert self.get(name="a")["count"] == 2
        broken = one.replace("expr: up", "expr: up +")
        assert (
            "line 7"
            in problem(
                self.writer.post(url, {"file": "f.yml", "text": broken}, content_type="application/json"), 400
            )["detail"]
        )
        problem(self.reader.post(url, {"file": "f.yml", "text": one}, content_type="application/json"), 403)
