"""Alerts taken at /api/v2/alerts, each synced to disk before it is answered, beside Debian's Alertmanager.

    python benchmarks/doors_alerts.py [--alerts 20000] [--batch 100] [--groups 200] [--clients 4] [--json]

The same client posts the same bodies to both, one after the other in every run; CPU is that of the server's
process. Alertmanager keeps what it accepts in memory only. The median run by alerts per second is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.alertmanager import AlertmanagerDoor
from watchkeeper.receivers.front import Front
from watchkeeper.receivers.limits import StaticKeyring
from watchkeeper.receivers.series import SeriesTable

SECRET = "benchmark"
JOURNAL = "journal.db"


@dataclass
class Result:
    """One server's median run."""

    server: str
    alerts_per_second: float
    alerts_per_cpu_second: float
    cpu_us_per_alert: float
    p50_ms: float  # of a request
    p99_ms: float


def main() -> None:
    """Run both, print a table or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        uvloop.run(serve(int(given.serve[0]), Path(given.serve[1])))
        return
    measured: dict[str, list[Result]] = {}
    for _ in range(given.runs):
        for name, server in (("watchkeeper", watchkeeper), ("alertmanager", alertmanager)):
            with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (port, pid):
                measured.setdefault(name, []).append(measure(name, port, pid, given))
                if name == "watchkeeper":
                    stored(Path(folder), given.alerts)
    results = [sorted(r, key=lambda x: x.alerts_per_second)[len(r) // 2] for r in measured.values()]
    report(results, given.json)


def measure(name: str, port: int, pid: int, given: argparse.Namespace) -> Result:
    """Post all alerts from `clients` connections at once."""
    requests = bodies(given.alerts, given.batch, given.groups)
    post(port, requests[:1], [])  # the first request pays for imports
    shares = [requests[i :: given.clients] for i in range(given.clients)]
    latencies: list[float] = []
    threads = [threading.Thread(target=post, args=(port, share, latencies)) for share in shares]
    cpu, began = used(pid), time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took, cpu = time.perf_counter() - began, used(pid) - cpu
    percent = statistics.quantiles(latencies, n=100)
    return Result(
        name,
        given.alerts / took,
        given.alerts / cpu,
        cpu / given.alerts * 1e6,
        percent[49] * 1000,
        percent[98] * 1000,
    )


def bodies(alerts: int, batch: int, groups: int) -> list[bytes]:
    """Requests of `batch` alerts each: as Prometheus sends them, in `groups` by alertname and cluster."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    every = [
        {
            "labels": {
                "alertname": f"HighLatency{i % groups}", "cluster": "eu-1", "instance": f"host-{i}:9100",
                "job": "node", "severity": "critical",
            },
            "annotations": {
                "summary": f"Latency is high on host-{i}",
                "description": "The 99th percentile has been above 500 ms for 5 minutes.",
            },
            "startsAt": f"{now}.{i % 1000:03}Z",
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=latency+%3E+0.5&g0.tab=1",
        }
        for i in range(alerts)
    ]  # fmt: skip
    out = []
    for first in range(0, alerts, batch):
        body = json.dumps(every[first : first + batch], separators=(",", ":")).encode()
        head = (
            "POST /api/v2/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        out.append(head.encode() + body)
    return out


def post(port: int, requests: list[bytes], latencies: list[float]) -> None:
    """Send requests one after the other on one connection; each has to be answered with 200."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            began = time.perf_counter()
            s.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += s.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"not accepted: {answer[:200]!r}")
            latencies.append(time.perf_counter() - began)


def used(pid: int) -> float:
    """CPU seconds of a process until now."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@contextmanager
def watchkeeper(folder: Path) -> Iterator[tuple[int, int]]:
    """A front of our own in a process of its own: its port and process id."""
    command = [sys.executable, __file__, "--serve"]
    yield from running(lambda port: [*command, str(port), str(folder)], "/healthz")


@contextmanager
def alertmanager(folder: Path) -> Iterator[tuple[int, int]]:
    """Debian's Alertmanager with grouping only."""
    program = shutil.which("prometheus-alertmanager") or sys.exit("prometheus-alertmanager is not installed")
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: x, group_by: [alertname, cluster]}\nreceivers: [{name: x}]\n")
    yield from running(
        lambda port: [
            program, f"--config.file={config}", f"--storage.path={folder}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ],
        "/-/ready",
    )  # fmt: skip


def running(command: Callable[[int], list[str]], ready: str) -> Iterator[tuple[int, int]]:
    """Start a server on a free port, wait until it is ready, stop it in the end."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as s:
                    s.sendall(f"GET {ready} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                    if s.recv(100).startswith(b"HTTP/1.1 200"):
                        break
            except OSError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


async def serve(port: int, folder: Path) -> None:
    """The front, until SIGTERM."""
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    journal = SqliteJournal(folder / JOURNAL)
    group = GroupCommit(journal)
    front = Front(
        [listening], [AlertmanagerDoor().row()], group=group,
        keyring=StaticKeyring({SECRET: IntakeKey(id="1", name="bench")}),
        series=SeriesTable(), inner_url="http://127.0.0.1:9", inner_secret=SECRET,
    )  # fmt: skip
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await front.start()
    await ended.wait()
    await front.stop()
    await asyncio.to_thread(group.close)
    journal.close()


def stored(folder: Path, alerts: int) -> None:
    """Stop unless every acknowledged alert is in the journal (the warm-up's besides)."""
    journal = SqliteJournal(folder / JOURNAL)
    rows = after = 0
    while entries := journal.read(after):
        after = entries[-1].offset
        rows += sum(e.batch.num_rows for e in entries if e.stream is Stream.EVENTS)
    journal.close()
    if rows < alerts:
        raise SystemExit(f"{alerts} were acknowledged and {rows} are stored")


def report(results: list[Result], as_json: bool) -> None:
    """Print what was measured, and ours in proportion to theirs."""
    ours, theirs = results
    ratios = {
        "alerts_per_second": ours.alerts_per_second / theirs.alerts_per_second,
        "alerts_per_cpu_second": ours.alerts_per_cpu_second / theirs.alerts_per_cpu_second,
    }
    if as_json:
        print(json.dumps({"results": [asdict(r) for r in results], "ratio": ratios}, indent=1))
        return
    table = Table("server", "alerts/s", "alerts/CPU-s", "CPU µs/alert", "p50 ms", "p99 ms")
    for r in results:
        table.add_row(
            r.server, f"{r.alerts_per_second:,.0f}", f"{r.alerts_per_cpu_second:,.0f}",
            f"{r.cpu_us_per_alert:.1f}", f"{r.p50_ms:.1f}", f"{r.p99_ms:.1f}",
        )  # fmt: skip
    table.add_row("ratio", *(f"{x:.2f}" for x in ratios.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
