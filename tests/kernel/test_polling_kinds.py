"""Scrape jobs and probes keep what every kind promises, and are refused where they could not work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains.polling.models import ScrapeJob


class TestScrapeJobs(KindChecks):
    path = "scrape-jobs"
    invalid = {"interval": 0, "targets": ["db1"], "scheme": "ftp", "labels": {"a b": "c"}}
    changes = {"enabled": False, "interval": 60, "scheme": "https", "targets": ["[::1]:9100"], "item_kind": "devices",
               "item_target": "{address}:9100"}  # fmt: skip

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "name": f"nodes {n}",
            "targets": ["db1:9100"],
            "password": "secret word",
            "bearer": "secret token",
        }

    @pytest.mark.parametrize(("body", "field"), [
        ({"targets": ["http://db1:9100/metrics"]}, "targets"),
        ({"targets": ["db1:9100@evil"]}, "targets"),
        ({"targets": []}, "targets"),
        ({"timeout": 20, "interval": 10}, "timeout"),
        ({"files": ["targets.yml"]}, "files"),
        ({"files": ["/etc/shadow"]}, "files"),
        ({"files": ["/etc/*/a.yml"]}, "files"),
        ({"discovery_url": "file:///etc/passwd"}, "discovery_url"),
        ({"discovery_url": "http://user:secret@x/"}, "discovery_url"),
        ({"item_kind": "devices"}, "item_target"),
        ({"item_kind": "devices", "item_target": "{colour}:9100"}, "item_target"),
        ({"item_kind": "devices", "item_target": "{address}"}, "item_target"),
        ({"labels": {"__name__": "x"}}, "labels"),
        ({"path": "metrics"}, "path"),
        ({"authority": "no certificate"}, "authority"),
        ({"sample_limit": 0}, "sample_limit"),
        ({"relabel_configs": "- {regex: '(', target_label: x}"}, "relabel_configs"),
        ({"relabel_configs": "regex: x"}, "relabel_configs"),
        ({"relabel_configs": "- {"}, "relabel_configs"),
        ({"metric_relabel_configs": "- {action: explode}"}, "metric_relabel_configs"),
        ({"metric_relabel_configs": "[" * 40_000}, "metric_relabel_configs"),
        ({"failures": 0}, "failures"),
    ])  # fmt: skip
    def test_what_could_not_work_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **body}, content_type="application/json")
        assert field in problem(answer, 400)["errors"]

    def test_secrets_are_sealed_and_never_shown(self) -> None:
        (one,) = self.make(1, 2)
        assert "secret" not in str(self.send("get", f"{self.url}{one}/"))
        kept = ScrapeJob.objects.get(pk=one)
        assert (kept.password, kept.bearer) == ("secret word", "secret token")


class TestProbes(KindChecks):
    path = "probes"
    invalid = {"kind": "smoke", "statuses": [99], "severity": "info", "record": "ZZ"}
    changes = {
        "severity": "warning",  # the first text, which is changed alone too
        "kind": "tcp",
        "targets": ["db1:5432"],
        "expect": "^SSH-",
        "failures": 3,
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"shop {n}", "kind": "http", "targets": ["https://shop.example.org/"]}

    @pytest.mark.parametrize(("body", "field"), [
        ({"targets": ["shop.example.org"]}, "targets"),
        ({"kind": "icmp"}, "targets"),
        ({"kind": "tcp", "targets": ["db1"]}, "targets"),
        ({"targets": []}, "targets"),
        ({"body": "("}, "body"),
        ({"expect": "(?<=a)b"}, "expect"),
        ({"warn_days": 3, "critical_days": 7}, "critical_days"),
        ({"item_tag": "shop", "item_target": "{host}"}, "item_target"),
        ({"slow": -1}, "slow"),
        ({"server": "ns1:domain"}, "server"),
    ])  # fmt: skip
    def test_what_could_not_work_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **body}, content_type="application/json")
        assert field in problem(answer, 400)["errors"]
