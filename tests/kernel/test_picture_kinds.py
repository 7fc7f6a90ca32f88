"""Dashboards and indicators keep what every kind promises, and what is theirs alone."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains.dashboards.models import Dashboard

LOAD = {"title": "Load", "queries": [{"promql": "node_load1"}]}


class TestDashboards(KindChecks):
    path = "dashboards"
    invalid = {"definition": {"panels": [{"kind": "pie"}]}, "name": ""}
    changes = {"folder": "Shop", "definition": {"panels": [LOAD], "last": 900}}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"Dashboard {n}",
            "folder": "Mine",
            "definition": {"panels": [{"kind": "text", "text": "Hi"}]},
        }

    def test_yaml_is_taken_and_given(self) -> None:
        text = "panels:\n- title: Load\n  queries:\n  - promql: node_load1\n"
        made = self.send("post", self.url, {"name": "By text", "definition": text}, 201)
        assert made["definition"] == {"panels": [LOAD]}
        given = self.person().get(f"/dashboards/{made['id']}/yaml/")
        assert given.headers["Content-Disposition"] == 'attachment; filename="by-text.yaml"'
        assert text in given.content.decode().replace("\n  ", "\n")
        wrong = self.writer.patch(
            self.one(made["id"]), {"definition": "panels:\n- {w: 99}"}, content_type="application/json"
        )
        assert problem(wrong, 400)["errors"]["definition"] == ["panel 1, w: Expected `int` <= 12"]
        assert self.get(self.one(made["id"])) == made

    def test_a_ready_one_is_copied_and_not_changed(self) -> None:
        ready = Dashboard.objects.get(ready="hosts")
        assert (
            self.writer.patch(
                self.one(ready.pk), {"folder": "x"}, content_type="application/json"
            ).status_code
            == 409
        )
        assert self.writer.delete(self.one(ready.pk)).status_code == 409
        client = self.person()
        page = client.get(f"/dashboards/{ready.pk}/").content.decode()
        assert "Copy to change it" in page and "edit-panels" not in page
        copy = client.get(f"/dashboards/new/?from={ready.pk}").content.decode()
        assert "system.cpu.utilization" in copy and "kind: stat" in copy
        body = {"name": "Our hosts", "definition": ready.definition}
        assert self.send("post", self.url, body, 201)["definition"] == ready.definition


class TestIndicators(KindChecks):
    path = "service-indicators"
    invalid = {"source": "dice", "importance": 12, "query": "sum(", "item": "nobody"}
    changes = {"importance": 9, "name": "slower"}

    def valid(self, n: int) -> dict[str, Any]:
        item = self.send("post", "/api/items/", {"kind": "service", "name": f"svc-{n}"}, 201)["id"]
        return {
            "item": item,
            "name": f"slow {n}",
            "source": "query",
            "query": "up",
            "critical": 1.5,
            "low": 0.5,
        }

    def test_what_is_needed_is_named(self) -> None:
        whole = self.valid(0)
        for more, field in (
            ({"query": ""}, "query"), ({"critical": None, "low": None}, "critical"), ({"low": 9}, "critical"),
            ({"source": "health"}, "other"), ({"source": "health", "other": whole["item"]}, "other"),
        ):  # fmt: skip
            answer = self.writer.post(self.url, {**whole, **more}, content_type="application/json")
            assert field in problem(answer, 400)["errors"], more
        self.send("post", self.url, {**whole, "worse": "below", "low": 9}, 201)
