"""Prometheus' rules on a running platform: a file is imported, samples come by remote write, an alert is pending, survives a
kill of everything, fires once and is over; what a rule records can be asked for."""

from __future__ import annotations

import time
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.platform import Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually

FILE = """groups:
  - name: hosts
    interval: 1s
    rules:
      # how full disks are, as a share
      - record: instance:disk_used:ratio
        expr: disk_used_bytes / disk_size_bytes
      - alert: DiskFull
        expr: instance:disk_used:ratio > 0.9
        for: 12s
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.instance }} is {{ $value | humanizePercentage }} full"
      - alert: Broken
        expr: sum(disk_used_bytes) * on () disk_size_bytes * on () group_left () disk_used_bytes
"""


def _write(platform: Platform, used: float) -> None:
    labels = {"job": "node", "instance": "db-1:9100"}
    now = int(time.time() * 1000)
    series: list[Any] = [
        ({"__name__": "disk_used_bytes", **labels}, [(used, now)]),
        ({"__name__": "disk_size_bytes", **labels}, [(100.0, now)]),
        ({"__name__": "disk_size_bytes", "instance": "db-2:9100"}, [(100.0, now)]),
    ]
    answer = platform.send("/api/v1/write", packed(request(series)), "application/x-protobuf",
                           Content_Encoding="snappy")  # fmt: skip
    assert answer.status in (200, 204), answer.body


def _rule(platform: Platform, name: str) -> dict[str, Any]:
    query = urllib.parse.urlencode({"rule_name[]": name})
    groups = platform.get(f"/api/v1/rules?{query}")["data"]["groups"]
    return dict(groups[0]["rules"][0]) if groups else {}


def _alerts(platform: Platform, **given: str) -> list[dict[str, Any]]:
    query = urllib.parse.urlencode({"source": "rules", **given})
    return list(platform.get(f"/api/alerts/?{query}")["results"])


def _import(platform: Platform, text: str) -> Any:
    return platform.do("/api/rule-groups/import/", {"file": "hosts.yml", "text": text})


@pytest.mark.timeout(300)
def test_a_rule_file_is_imported_fires_and_survives_a_kill(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        refused = _import(platform, FILE.replace("> 0.9", "> limit_ratio(1, up)"))
        assert refused.status == 400 and b"line 9" in refused.body and b"limit_ratio" in refused.body, (
            refused.body
        )
        assert _import(platform, FILE).json()["created"] == ["hosts"]
        assert _import(platform, FILE).json()["same"] == ["hosts"]
        _write(platform, 95)
        pending = eventually(lambda: (r := _rule(platform, "DiskFull")).get("state") == "pending" and r, 30)
        since = pending["alerts"][0]["activeAt"]
        eventually(lambda: _asked(platform, 'ALERTS_FOR_STATE{alertname="DiskFull"}'), 30)
        platform.kill_all()
        platform.start()
        again = eventually(lambda: (r := _rule(platform, "DiskFull")).get("alerts") and r, 40)
        assert again["alerts"][0]["activeAt"][:19] >= since[:19]
        [alert] = eventually(lambda: _alerts(platform, name="DiskFull", status="firing"), 40)
        assert alert["severity"] == "critical" and alert["firings"] == 1
        assert alert["summary"] == "db-1:9100 is 95% full"
        [ratio] = _asked(platform, "instance:disk_used:ratio")
        assert ratio["value"][1] == "0.95" and ratio["metric"]["instance"] == "db-1:9100"
        assert (
            "labelset" in _rule(platform, "Broken")["lastError"]
            or _rule(platform, "Broken")["health"] == "err"
        )
        [broken] = eventually(lambda: _alerts(platform, name="RulesCannotBeEvaluated", status="firing"), 20)
        assert "Broken" in broken["summary"]
        _write(platform, 50)
        [over] = eventually(lambda: _alerts(platform, name="DiskFull", status="resolved"), 30)
        assert over["fingerprint"] == alert["fingerprint"] and over["firings"] == 1
        only = FILE[: FILE.index("      - alert: Broken")]
        assert _import(platform, only).json()["changed"] == ["hosts"]
        assert eventually(lambda: _alerts(platform, name="RulesCannotBeEvaluated", status="resolved"), 20)
        assert platform.get("/api/v1/alerts")["data"]["alerts"] == []
        assert platform.stop() == 0


def _asked(platform: Platform, query: str) -> list[dict[str, Any]]:
    asked = urllib.parse.urlencode({"query": query})
    return list(platform.get(f"/api/v1/query?{asked}")["data"]["result"])
