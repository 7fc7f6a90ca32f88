"""A threshold rule from its making over REST to its alert: samples come by remote write, the analyse process is killed while
it fires, an exception and the end of the rule are followed."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from tests.platform import Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually

LABELS = {"__name__": "disk_used_percent", "instance": "db-1:9100", "job": "node"}


def _write(platform: Platform, *values: float, until: int) -> None:
    """A value a minute, the last at `until`."""
    samples = [(v, until - 60_000 * (len(values) - n - 1)) for n, v in enumerate(values)]
    answer = platform.send("/api/v1/write", packed(request([(LABELS, samples)])), "application/x-protobuf",
                           Content_Encoding="snappy")  # fmt: skip
    assert answer.status in (200, 204), answer.body


def _alerts(platform: Platform, status: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = platform.get(f"/api/alerts/?status={status}&source=threshold")["results"]
    return found


def _told(platform: Platform, times: int) -> None:
    """Until analysis has noted as many acts about rules."""

    def count() -> bool:
        with sqlite3.connect(f"file:{platform.data}/records.db?mode=ro", uri=True) as db:
            return bool(
                db.execute("SELECT count(*) FROM situations_appliedact WHERE kind = 'rule'").fetchone()[0]
                >= times
            )

    eventually(count, 30)


def test_a_rule_fires_recovers_and_is_followed(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        now = int(time.time() * 1000)
        rule = {"name": "disk nearly full", "metric": "disk_used_percent", "labels": 'job="node"', "level": 80,
                "recovery": 70, "for_seconds": 300, "severity": "critical",
                "runbook": "https://wiki.example.org"}  # fmt: skip
        made = platform.do("/api/threshold-rules/", rule)
        assert made.status == 201, made.body
        path = f"/api/threshold-rules/{made.json()['id']}/"
        _told(platform, 1)
        _write(platform, 50, *[93] * 6, until=now - 3_600_000)
        (alert,) = eventually(lambda: _alerts(platform, "firing"), 60)
        assert alert["severity"] == "critical" and alert["name"] == "disk nearly full"
        assert alert["annotations"]["runbook_url"] == "https://wiki.example.org"
        assert "is 93 %, above 80 % for 5 minutes" in str(alert["because"])
        platform.processes()["analyse"].kill()
        _write(platform, 75, 69, until=now - 3_600_000 + 120_000)
        (over,) = eventually(lambda: _alerts(platform, "resolved"), 60)
        assert over["fingerprint"] == alert["fingerprint"] and over["firings"] == 1
        override = {
            "threshold_rule": made.json()["id"],
            "labels": 'instance=~"db-.*"',
            "level": 95,
            "for_seconds": 0,
        }
        assert platform.do("/api/threshold-overrides/", override).status == 201
        _told(platform, 2)
        _write(platform, 94, 96, until=now - 3_600_000 + 900_000)
        (alert,) = eventually(lambda: _alerts(platform, "firing"))
        assert alert["firings"] == 2 and "95 % instead of 80 %" in str(alert["because"])
        assert platform.do(path, method="DELETE").status == 204
        assert eventually(lambda: not _alerts(platform, "firing"))
        assert platform.stop() == 0
