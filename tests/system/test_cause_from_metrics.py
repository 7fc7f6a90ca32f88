"""A cause that no alert names, found live: the shop complains, and the series of the database that it needs show why. A
version in the shade that does not hear metrics is compared."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.platform import Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually
from watchkeeper.telemetry.queries.compared import Tally, tally
from watchkeeper.telemetry.queries.window import Window

STEP_MS, BEFORE_MS = 30_000, 7_000_000
SERVICES = ("shop", "cart", "database")


def _write(platform: Platform, now: int, trouble: int) -> None:
    """Two hours of latency of each service; from `trouble` on all are slow, the database first of all."""
    chance = random.Random(1)
    series = []
    for service in SERVICES:
        labels = {"__name__": "request_latency_seconds", "service_name": service}
        times = range(now - BEFORE_MS, now, STEP_MS)
        series.append((labels, [(chance.gauss(0.1, 0.004) + 0.5 * (t >= trouble), t) for t in times]))
    answer = platform.send("/api/v1/write", packed(request(series)), "application/x-protobuf",
                           Content_Encoding="snappy")  # fmt: skip
    assert answer.status in (200, 204), answer.body


def _items(platform: Platform) -> dict[str, str]:
    found = platform.get("/api/items/?kind=service")["results"]
    return {i["name"]: i["id"] for i in found if i["name"] in SERVICES}


def _blamed(platform: Platform) -> dict[str, Any] | None:
    """The situation, once metrics have spoken of it."""
    found = platform.get("/api/situations/")["results"]
    said: dict[str, Any] | None = next((s for s in found if "metrics-1" in s["version"]), None)
    return said


def _compared(platform: Platform) -> Tally:
    """How the version in the shade, which does not hear metrics, compares with the one that decides."""
    now = int(time.time() * 1000)
    return tally(platform.telemetry(), "cause", ("half", "alerts"), Window(now - 3_600_000, now + 60_000))


@pytest.mark.timeout(600)
def test_metrics_name_what_no_alert_does(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        now = int(time.time() * 1000)
        trouble = now - 270_000  # not long enough ago for alerts of their own
        _write(platform, now, trouble)
        items = eventually(lambda: len(i := _items(platform)) == 3 and i, 60)
        for needs, needed in (("shop", "cart"), ("cart", "database")):
            told = {"source": items[needs], "target": items[needed], "kind": "depends_on"}
            made = platform.do("/api/relations/", told)
            assert made.status == 201, made.body
        chosen = {"name": "alerts alone", "part": "cause", "decides": "half", "shade": "alerts"}
        assert platform.do("/api/method-versions/", chosen).status == 201
        starts = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(trouble / 1000 + 60))
        labels = {"alertname": "CheckoutSlow", "service_name": "shop", "severity": "critical"}
        platform.alerts({"labels": labels, "startsAt": starts})
        situation = eventually(lambda: _blamed(platform), 150)
        best = situation["causes"][0]
        assert best["item"]["name"] == "database", json.dumps(situation["causes"], indent=1)
        assert any("of database went from" in t and " ms to " in t for t in best["because"])
        assert "cart and shop need database and suffer too." in best["because"]
        eventually(lambda: _compared(platform).differs == 1, 30)
        timeline = str(platform.get(f"/api/situations/{situation['id']}/"))
        assert "measured" not in timeline
        platform.processes()["analyse"].kill()
        assert eventually(lambda: _blamed(platform), 60)["causes"][0]["item"]["name"] == "database"
        assert platform.stop() == 0
