"""The whole platform as people meet it: pages of the console while alerts pour in, what it uses when nothing happens,
and how long it takes to serve, also after kill -9 with a million stored events.

    python -m benchmarks.platform_console [--rate 5000] [--seconds 20] [--idle 60] [--events 1000000] [--json]

No peer: the figures stand for themselves. Pages are asked for by somebody signed in, one at a time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.platform import Platform
from tests.system.test_lifecycle import signed_in

from benchmarks import whole
from benchmarks.alerts import BATCH, alert, bodies, post


@contextmanager
def pouring(platform: Platform, rate: int) -> Iterator[list[int]]:
    """Alerts at `rate` a second over two connections; how many were taken."""
    stop, taken = threading.Event(), [0, 0]
    headers = {"Authorization": f"Bearer {platform.key}"}
    ready = bodies(20_000, 200, "pour")

    def pour(mine: int) -> None:
        began = time.perf_counter()
        while not stop.is_set():
            post(platform.url, headers, [ready[(taken[mine] // BATCH * 2 + mine) % len(ready)]])
            taken[mine] += BATCH
            stop.wait(max(0.0, taken[mine] * 2 / rate - (time.perf_counter() - began)))

    threads = [threading.Thread(target=pour, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    try:
        yield taken
    finally:
        stop.set()
        for t in threads:
            t.join()


def pages(platform: Platform, rate: int, seconds: float) -> dict[str, float]:
    """Milliseconds for pages of the console meanwhile."""
    browser = signed_in(platform)
    post(platform.url, {"Authorization": f"Bearer {platform.key}"}, bodies(2_000, 200, "pour"))
    whole.catch_up(platform, "analysis")
    one = platform.get("/api/situations/?limit=1")["results"][0]["id"]
    paths = {
        "home": "/",
        "situations": "/situations/",
        "a_situation": f"/situations/{one}/",
        "alerts": "/alerts/",
    }
    took: dict[str, list[float]] = {name: [] for name in paths}
    with pouring(platform, rate) as taken:
        began = time.perf_counter()
        time.sleep(2)
        while time.perf_counter() - began < seconds:
            for name, path in paths.items():
                at = time.perf_counter()
                browser.open(platform.url + path, timeout=60).read()
                took[name].append((time.perf_counter() - at) * 1000)
        rate = int(sum(taken) / (time.perf_counter() - began))
    everything = [t for times in took.values() for t in times]
    found = {"alerts_per_s": float(rate), "p50_ms": statistics.median(everything)}
    found["p95_ms"] = whole.percentile(everything, 0.95)
    return found | {f"{name}_p95_ms": whole.percentile(times, 0.95) for name, times in took.items()}


def idle(platform: Platform, seconds: float) -> dict[str, float]:
    """Percent of a core and megabytes with the host poller alone."""
    time.sleep(10)
    of = whole.processes(platform)
    used, began = whole.cpu(of), time.perf_counter()
    time.sleep(seconds)
    percent = (whole.cpu(of) - used) / (time.perf_counter() - began) * 100
    each = {p.cmdline()[-1].rpartition(".")[2]: p.memory_info().rss / 1e6 for p in of}
    return {
        "cpu_percent_of_a_core": percent,
        "resident_mb": whole.resident_mb(of),
        "used_mb": whole.used_mb(of),
        **each,
    }


def fill(platform: Platform, count: int) -> None:
    """So many events stored: alerts told again and again."""
    groups = [json.dumps([alert(i, i % 50, "fill") for i in range(n, n + 2000)]).encode() for n in (0, 2000)]
    headers = {"Authorization": f"Bearer {platform.key}"}
    for _ in range(count // 4000):
        post(platform.url, headers, groups)
    whole.catch_up(platform, "analysis", "telemetry", within=1800)


def starts(platform: Platform) -> dict[str, float]:
    """Seconds to be stopped, to serve again, and to serve again after kill -9."""
    at = time.perf_counter()
    platform.stop()
    stopped = time.perf_counter()
    platform.start(120)
    started = time.perf_counter()
    platform.kill_all()
    killed = time.perf_counter()
    platform.start(120)
    return {
        "stop_s": stopped - at,
        "restart_s": started - stopped,
        "after_kill_s": time.perf_counter() - killed,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        with whole.running(Path(name)) as platform:
            found["first_start_s"] = time.perf_counter() - began
            found["idle"] = idle(platform, given.idle)
            found["starts_empty"] = starts(platform)
            found["pages"] = pages(platform, given.rate, given.seconds)
            if given.events:
                fill(platform, given.events)
                found[f"starts_with_{given.events}_events"] = starts(platform)
    whole.report(found, given.json)


if __name__ == "__main__":
    main()
