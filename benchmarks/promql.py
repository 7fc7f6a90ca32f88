"""PromQL: how long query_range takes over HTTP, beside Debian's Prometheus with the same samples in the same run.

    python -m benchmarks.promql [--series 100] [--hours 6] [--rounds 15] [--json]

Both get the same samples, one every 15 s, by remote write: counters with labels. Each query is asked of one and then of
the other, `rounds` times, by one client; the figures are medians in milliseconds, and the ratio of ours to theirs.
CPU is that of all processes of each side, in milliseconds a query. Answers are read whole and compared.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tests.receivers.remote_write_messages import packed, request
from tests.telemetry.promql_world import prometheus

from benchmarks.whole import catch_up, cpu, processes, running

INTERVAL_MS = 15_000
PER_REQUEST = 60  # samples of each series
STEP = 60  # seconds
QUERIES = (
    "http_requests_total",
    "rate(http_requests_total[5m])",
    "sum by (instance) (rate(http_requests_total[5m]))",
    "max_over_time(http_requests_total[1h])",
    "topk(5, deriv(http_requests_total[20m]))",
    'sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m]))',
    "http_requests_total > 1000 and on (instance) http_requests_total offset 1h",
)


@dataclass(frozen=True)
class Side:
    """One of the two: its address, headers, and whose CPU counts."""

    url: str
    headers: dict[str, str]
    of: list[psutil.Process]

    def ask(self, query: str, start: int, end: int) -> tuple[float, float, Any]:
        """Milliseconds of waiting and of CPU, and the answer."""
        given = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": STEP}).encode()
        asked = urllib.request.Request(f"{self.url}/api/v1/query_range", given, self.headers)
        used, began = cpu(self.of), time.perf_counter()
        with urllib.request.urlopen(asked) as answer:
            body = answer.read()
        waited = time.perf_counter() - began
        return 1000 * waited, 1000 * (cpu(self.of) - used), json.loads(body)


def bodies(series: int, hours: float, end_ms: int) -> list[bytes]:
    """The samples as requests of remote write, in order of time."""
    count = int(hours * 3_600_000 / INTERVAL_MS)
    random = np.random.default_rng(1)
    values = np.cumsum(random.integers(0, 20, (series, count)), axis=1).astype(float)
    labels = [{"__name__": "http_requests_total", "job": "web", "instance": f"web-{i // 4}:9100",
               "code": ("200", "404", "500", "503")[i % 4]} for i in range(series)]  # fmt: skip
    times = [end_ms - (count - i) * INTERVAL_MS for i in range(count)]
    out = []
    for at in range(0, count, PER_REQUEST):
        part = slice(at, at + PER_REQUEST)
        rows = [
            (one, list(zip(v[part].tolist(), times[part], strict=True)))
            for one, v in zip(labels, values, strict=True)
        ]
        out.append(packed(request(rows)))
    return out


def write(url: str, key: str, sent: list[bytes]) -> None:
    """Everything to a receiver of remote write."""
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "Authorization": f"Bearer {key}",
    }
    for body in sent:
        urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/write", body, headers)).close()


def same(ours: Any, theirs: Any) -> bool:
    """Whether both answered alike."""

    def points(answer: Any) -> dict[str, list[list[Any]]]:
        return {json.dumps(r["metric"], sort_keys=True): r["values"] for r in answer["data"]["result"]}

    def alike(mine: list[list[Any]], other: list[list[Any]]) -> bool:
        pairs = zip(mine, other, strict=True)
        return len(mine) == len(other) and all(
            math.isclose(float(x), float(y), rel_tol=1e-9) for (_, x), (_, y) in pairs
        )

    a, b = points(ours), points(theirs)
    return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)


def measure(ours: Side, theirs: Side, start: int, end: int, rounds: int) -> dict[str, dict[str, Any]]:
    """By query: medians of both, and the ratio."""
    out: dict[str, dict[str, Any]] = {}
    for query in QUERIES:
        found: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
        last: dict[str, Any] = {}
        for _ in range(rounds):
            for name, side in (("ours", ours), ("theirs", theirs)):
                waited, used, last[name] = side.ask(query, start, end)
                found[name].append((waited, used))
        row = {f"{name}_ms": statistics.median(one[0] for one in both) for name, both in found.items()}
        row |= {f"{name}_cpu_ms": statistics.mean(one[1] for one in both) for name, both in found.items()}
        out[query] = {
            **row,
            "ratio": row["ours_ms"] / row["theirs_ms"],
            "same": same(last["ours"], last["theirs"]),
        }
    return out


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--hours", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not shutil.which("prometheus"):
        sys.exit("prometheus is not installed")
    end_ms = int(time.time() * 1000) // 60_000 * 60_000
    sent = bodies(given.series, given.hours, end_ms)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with prometheus(folder) as other, running(folder) as platform:
            write(other.url, "", sent)
            write(platform.url, platform.key, sent)
            catch_up(platform, "telemetry", "analysis")
            port = other.url.rpartition(":")[2]
            peer = next(p for p in psutil.Process().children() if f":{port}" in " ".join(p.cmdline()))
            ours = Side(platform.url, {"Authorization": f"Bearer {platform.token}"}, processes(platform))
            found = measure(
                ours,
                Side(other.url, {}, [peer]),
                end_ms // 1000 - int(given.hours * 3600),
                end_ms // 1000,
                given.rounds,
            )
    if given.json:
        print(json.dumps({"load": os.getloadavg()[0], "queries": found}))
        return
    print(
        f"{given.series} series, {given.hours:g} h every 15 s, a step of {STEP} s; load {os.getloadavg()[0]:.1f}"
    )
    for query, row in found.items():
        print(f"{row['ours_ms']:7.1f} ms  {row['theirs_ms']:7.1f} ms  ×{row['ratio']:.1f}  "
              f"CPU {row['ours_cpu_ms']:.0f} / {row['theirs_cpu_ms']:.0f} ms  "
              f"{'same' if row['same'] else 'DIFFERENT'}  {query}")  # fmt: skip


if __name__ == "__main__":
    main()
