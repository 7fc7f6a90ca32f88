"""The whole product under alerts: accepted, stored, grouped into situations with a cause, and listed.

    python -m benchmarks.alerts [--alerts 20000] [--json]

`throughput`: 20,000 alerts in 200 groups in batches of 100, until every one is in the records; beside it Debian's
Alertmanager, which keeps nothing. `storm`: 20,000 alerts in 20,000 groups, until analysis has passed them.
`latency`: accepted alert to its place in a situation at 1,000 alerts/s. CPU and memory are of all our processes.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import http.client
import itertools
import json
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from tests.platform import Platform
from tests.support import free_port

from benchmarks import whole

BATCH = 100


def alert(number: int, group: int, run: str) -> dict[str, Any]:
    """One alert of a fleet: each has its own instance, and shares its name and service with its group."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    return {
        "labels": {"alertname": f"Rule{group}", "service_name": f"svc-{group}", "instance": f"host-{number}:9100",
                   "run": run, "severity": "warning", "region": "eu-1"},
        "annotations": {"summary": f"rule {group} fires on host {number}"}, "endsAt": ends.isoformat(),
    }  # fmt: skip


def post(url: str, headers: dict[str, str], bodies: list[bytes]) -> float:
    """Post one after the other over a kept connection; seconds."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    began = time.perf_counter()
    for body in bodies:
        connection.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    connection.close()
    return time.perf_counter() - began


def bodies(count: int, groups: int, run: str) -> list[bytes]:
    """Batches as Prometheus posts them."""
    rows = [alert(i, i % groups, run) for i in range(count)]
    return [json.dumps(rows[i : i + BATCH]).encode() for i in range(0, count, BATCH)]


def ours(platform: Platform, count: int, groups: int, run: str) -> dict[str, float]:
    """Accepted and settled rates of the whole product."""
    of = whole.processes(platform)
    headers = {"Authorization": f"Bearer {platform.key}"}
    sent = bodies(count, groups, run)
    memory, used, began = whole.resident_mb(of), whole.cpu(of), time.perf_counter()
    accepted = post(platform.url, headers, sent)
    whole.catch_up(platform, "analysis")
    settled = time.perf_counter() - began
    grown = whole.resident_mb(of) - memory
    return {
        "accepted_per_s": count / accepted,
        "settled_per_s": count / settled,
        "settled_s": settled,
        "cpu_us_each": (whole.cpu(of) - used) / count * 1e6,
        "grown_mb": grown,
        "grown_kb_each": grown / count * 1e3,
        "resident_mb": whole.resident_mb(of),
    }


def alertmanager(folder: Path, count: int, groups: int) -> dict[str, float]:
    """The same bodies to Debian's Alertmanager with grouping only."""
    port = free_port()
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: none, group_by: [alertname]}\nreceivers: [{name: none}]\n")
    command = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'am'}",
               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        process = psutil.Process(running.pid)
        used = whole.cpu([process])
        seconds = post(f"http://127.0.0.1:{port}", {}, bodies(count, groups, "am"))
        return {"accepted_per_s": count / seconds, "cpu_us_each": (whole.cpu([process]) - used) / count * 1e6}
    finally:
        running.terminate()
        running.wait()


def latency(platform: Platform, seconds: float = 20.0) -> dict[str, float]:
    """Accepted alert to its place in a situation, in milliseconds, at 1,000 alerts/s: the first of each batch is
    looked for in the records, where everybody else would find it too."""
    headers = {"Authorization": f"Bearer {platform.key}"}
    accepted: dict[str, float] = {}
    waits: dict[str, float] = {}
    ended = threading.Event()

    def watch() -> None:
        sql = (
            "SELECT name FROM situations_alert WHERE situation_id IS NOT NULL ORDER BY rowid DESC LIMIT 1000"
        )
        with contextlib.closing(sqlite3.connect(f"file:{platform.data}/records.db?mode=ro", uri=True)) as db:
            while not ended.is_set() or waits.keys() != accepted.keys():
                there = {name for (name,) in db.execute(sql)}
                at = time.perf_counter()
                for name in (accepted.keys() & there) - waits.keys():
                    waits[name] = (at - accepted[name]) * 1000
                time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for tick in range(int(seconds * 10)):
        due = time.perf_counter() + 0.1
        rows = [alert(10**6 + tick * BATCH + i, tick % 200, f"lat{tick}") for i in range(BATCH)]
        rows[0]["labels"]["alertname"] = f"Watched{tick}"
        post(platform.url, headers, [json.dumps(rows).encode()])
        accepted[f"Watched{tick}"] = time.perf_counter()
        time.sleep(max(0, due - time.perf_counter()))
    ended.set()
    watcher.join(60)
    every = list(waits.values())
    return {"p50_ms": statistics.median(every), "p99_ms": whole.percentile(every, 0.99)}


def pages(platform: Platform) -> dict[str, float]:
    """Milliseconds for a page of the list, API, over HTTP."""
    took = []
    for _ in range(15):
        began = time.perf_counter()
        platform.get("/api/alerts/?limit=50&status=firing")
        took.append((time.perf_counter() - began) * 1000)
    return {"list_median_ms": statistics.median(took), "list_max_ms": max(took)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    count = arguments.alerts
    out: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with whole.running(folder / "groups") as platform:
            ours(platform, 2_000, 200, "warm")
            numbers = itertools.count()
            out["watchkeeper"] = whole.median(
                arguments.runs, lambda: ours(platform, count, 200, f"r{next(numbers)}"), "settled_per_s"
            )
            if shutil.which("prometheus-alertmanager"):
                peer = whole.median(
                    arguments.runs, lambda: alertmanager(folder, count, 200), "accepted_per_s"
                )
                out["alertmanager"] = peer
                for which in ("accepted", "settled"):
                    out[f"{which}_ratio"] = out["watchkeeper"][f"{which}_per_s"] / peer["accepted_per_s"]
            out["list"] = pages(platform)
        with whole.running(folder / "latency") as platform:
            ours(platform, 2_000, 200, "warm")
            out["latency_at_1000_per_s"] = latency(platform)
        with whole.running(folder / "storm") as platform:
            out["storm_20000_groups"] = ours(platform, count, count, "storm")
    whole.report(out, arguments.json)


if __name__ == "__main__":
    main()
