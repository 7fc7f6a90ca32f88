"""The whole product under alerts: accepted, stored, grouped into situations with a cause, and listed.

    python -m benchmarks.alerts [--alerts 20000] [--json]

`throughput`: 20,000 alerts in 200 groups in batches of 100, until every one is in the records; beside it Debian's
Alertmanager, which keeps nothing. `storm`: 20,000 alerts in 20,000 groups, until analysis has passed them.
`latency`: accepted alert to its record at 1,000 alerts/s. CPU and memory are those of all our processes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import shutil
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


def cpu(processes: list[psutil.Process]) -> float:
    """CPU-seconds used so far."""
    return sum(sum(p.cpu_times()[:2]) for p in processes)


def behind(platform: Platform) -> int:
    """Journal entries that analysis has not passed."""
    text = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
    return int(float(text.split('watchkeeper_journal_lag_entries{consumer="analysis"} ')[1].split("\n")[0]))


def ours(platform: Platform, count: int, groups: int, run: str) -> dict[str, float]:
    """Accepted and settled rates of the whole product."""
    processes = list(platform.processes().values())
    headers = {"Authorization": f"Bearer {platform.key}"}
    sent = bodies(count, groups, run)
    used, began = cpu(processes), time.perf_counter()
    accepted = post(platform.url, headers, sent)
    while behind(platform) > 0:
        time.sleep(0.05)
    settled = time.perf_counter() - began
    return {
        "accepted_per_s": count / accepted,
        "settled_per_s": count / settled,
        "settled_s": settled,
        "cpu_us_each": (cpu(processes) - used) / count * 1e6,
        "resident_mb": sum(p.memory_info().rss for p in processes) / 1e6,
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
        used = cpu([process])
        seconds = post(f"http://127.0.0.1:{port}", {}, bodies(count, groups, "am"))
        return {"accepted_per_s": count / seconds, "cpu_us_each": (cpu([process]) - used) / count * 1e6}
    finally:
        running.terminate()
        running.wait()


def latency(platform: Platform, seconds: float = 10.0) -> dict[str, float]:
    """Accepted alert to its record, in milliseconds, at 1,000 alerts/s: one in each batch is watched for."""
    headers = {"Authorization": f"Bearer {platform.key}"}
    waits: list[float] = []

    def watch(name: str, began: float) -> None:
        while platform.get(f"/api/alerts/?limit=1&search={name}")["count"] == 0:
            time.sleep(0.01)
        waits.append((time.perf_counter() - began) * 1000)

    threads = []
    for tick in range(int(seconds * 10)):
        due = time.perf_counter() + 0.1
        rows = [alert(10**6 + tick * BATCH + i, tick % 200, f"lat{tick}") for i in range(BATCH)]
        rows[0]["labels"]["alertname"] = f"Watched{tick}"
        post(platform.url, headers, [json.dumps(rows).encode()])
        if tick % 5 == 0:
            threads.append(threading.Thread(target=watch, args=(f"Watched{tick}", time.perf_counter())))
            threads[-1].start()
        time.sleep(max(0, due - time.perf_counter()))
    for t in threads:
        t.join()
    waits.sort()
    return {"p50_ms": statistics.median(waits), "p99_ms": waits[int(len(waits) * 0.99) - 1]}


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
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder) / "var").start(120)
        try:
            runs = [ours(platform, count, 200, f"r{n}") for n in range(arguments.runs)]
            out: dict[str, Any] = {
                "watchkeeper": sorted(runs, key=lambda r: r["settled_per_s"])[len(runs) // 2]
            }
            if shutil.which("prometheus-alertmanager"):
                peers = [alertmanager(Path(folder), count, 200) for _ in range(arguments.runs)]
                out["alertmanager"] = sorted(peers, key=lambda r: r["accepted_per_s"])[len(peers) // 2]
                out["accepted_ratio"] = (
                    out["watchkeeper"]["accepted_per_s"] / out["alertmanager"]["accepted_per_s"]
                )
                out["settled_ratio"] = (
                    out["watchkeeper"]["settled_per_s"] / out["alertmanager"]["accepted_per_s"]
                )
            out["latency_at_1000_per_s"] = latency(platform)
            out["list"] = pages(platform)
        finally:
            platform.stop()
        storm = Platform(Path(folder) / "storm").start(120)
        try:
            out["storm_20000_groups"] = ours(storm, count, count, "storm")
        finally:
            storm.stop()
    if arguments.json:
        print(json.dumps(out))
        return
    for name, value in out.items():
        shown = {k: round(v, 1) for k, v in value.items()} if isinstance(value, dict) else round(value, 2)
        print(f"{name:<24} {shown}")


if __name__ == "__main__":
    main()
