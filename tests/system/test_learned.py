"""What detection has learned is kept over Ctrl-C and over kill -9, and a start is never a storm: neither with what was
learned, nor without, as after an upgrade that learns it anew."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.platform import Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually
from watchkeeper.telemetry.store import TelemetryError

STEP_MS, MINUTE = 30_000, 60_000
SERIES = 12


def _write(platform: Platform, begins: int, ends: int, strays: int = -1) -> None:
    """The queues of a machine, a few minutes a request; from the first tenth of that time on one of them strays."""
    chance, late = random.Random(begins), begins + (ends - begins) // 10
    step = max(3 * MINUTE, (ends - begins) // 10)
    for begin in range(begins, ends, step):
        times = range(begin, min(ends, begin + step), STEP_MS)
        series = [
            (
                {"__name__": "queue_length", "host_name": "db-1", "queue": f"q{n}"},
                [(chance.gauss(200.0, 8.0) + 700.0 * (n == strays and t >= late), t) for t in times],
            )
            for n in range(SERIES)
        ]
        answer = platform.send("/api/v1/write", packed(request(series)), "application/x-protobuf",
                               Content_Encoding="snappy")  # fmt: skip
        assert answer.status in (200, 204), answer.body
    eventually(lambda: _read(platform, ends), 60)


def _read(platform: Platform, ends: int) -> bool:
    """Whether telemetry has the last point."""
    try:
        last = platform.telemetry().rows("SELECT toUnixTimestamp64Milli(max(time)) AS last FROM samples "
                                         "WHERE series IN (SELECT id FROM series WHERE name = 'queue_length')")  # fmt: skip
    except TelemetryError:  # a first start makes its tables
        return False
    return bool(last) and last[0]["last"] >= ends - STEP_MS


def _alerts(platform: Platform) -> list[str]:
    return [a["name"] for a in platform.get("/api/alerts/")["results"]]


@pytest.mark.timeout(600)
def test_a_start_is_never_a_storm(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        now = int(time.time() * 1000)
        _write(platform, now - 300 * MINUTE, now - 90 * MINUTE)
        platform.stop()
        assert (tmp_path / "var" / "learned.bin").stat().st_size > 1000 * SERIES

        platform.start()
        _write(platform, now - 90 * MINUTE, now - 60 * MINUTE)
        assert _alerts(platform) == []
        platform.kill_all()

        platform.start()
        _write(platform, now - 60 * MINUTE, now - 30 * MINUTE, strays=3)
        name = eventually(lambda: _alerts(platform), 60)
        assert name == ["Queue length (q3) above normal"], (
            "a series that is known for less than an hour is not judged"
        )
        platform.stop()

        (tmp_path / "var" / "learned.bin").write_bytes(b"of another version")
        platform.start()
        _write(platform, now - 30 * MINUTE, now)
        assert _alerts(platform) == name
        assert "is learned again" in platform.said()
        platform.stop()
