"""The whole platform under a benchmark: `watchkeeper serve` in a folder of its own, what its processes use, and
when it has caught up."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from tests.platform import Platform

STEP = 0.2  # seconds between two looks, which cost the web process some milliseconds each


@contextmanager
def running(folder: Path, **env: str) -> Iterator[Platform]:
    """A platform, stopped in the end."""
    with Platform(folder / "var", env).start(180) as platform:
        yield platform
        platform.stop()


def processes(platform: Platform) -> list[psutil.Process]:
    """The supervisor and its three."""
    assert platform.process is not None
    return [psutil.Process(platform.process.pid), *platform.processes().values()]


def cpu(of: list[psutil.Process]) -> float:
    """CPU-seconds used so far."""
    return float(sum(sum(p.cpu_times()[:2]) for p in of))


def resident_mb(of: list[psutil.Process]) -> float:
    """Resident memory of all."""
    return float(sum(p.memory_info().rss for p in of) / 1e6)


def used_mb(of: list[psutil.Process]) -> float:
    """Memory that the machine would have back without them: pages that several of them share count once."""
    return float(sum(p.memory_full_info().pss for p in of) / 1e6)


def metrics(platform: Platform) -> dict[str, float]:
    """What /metrics says, by name with labels."""
    answer = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}")
    assert answer.status == 200, answer.body
    lines = (line for line in answer.body.decode().splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def passed(platform: Platform, consumer: str) -> tuple[float, float]:
    """The journal's end, and the offset that a consumer has passed."""
    found = metrics(platform)
    end = found["watchkeeper_journal_offset"]
    return end, end - found[f'watchkeeper_journal_lag_entries{{consumer="{consumer}"}}']


def catch_up(platform: Platform, *consumers: str, within: float = 600.0) -> float:
    """Wait until these have passed all there is now; the seconds that took."""
    began = time.perf_counter()
    goal = passed(platform, consumers[0])[0]
    while any(passed(platform, c)[1] < goal for c in consumers):
        if time.perf_counter() - began > within:
            raise SystemExit(f"not caught up after {within} s")
        time.sleep(STEP)
    return time.perf_counter() - began


def median(runs: int, measure: Callable[[], dict[str, float]], by: str) -> dict[str, float]:
    """The run in the middle by one of its figures."""
    found = sorted((measure() for _ in range(runs)), key=lambda r: r[by])
    return found[len(found) // 2]


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def report(found: dict[str, Any], as_json: bool) -> None:
    """Print it; the load of the machine goes with it, because it explains much."""
    found = {**found, "machine": {"cores": os.cpu_count(), "load_1m": round(os.getloadavg()[0], 1)}}
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        shown = {k: round(v, 2) for k, v in value.items()} if isinstance(value, dict) else round(value, 2)
        print(f"{name:<24} {shown}")
