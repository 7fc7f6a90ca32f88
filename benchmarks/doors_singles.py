"""Single events, one a request and each on disk before it is answered.

    python -m benchmarks.doors_singles [--events 20000] [--clients 64] [--json]

`pagerduty` posts to /v2/enqueue from many connections at once, each waiting for its answer; `grafana` and `uptime_kuma`
post one alert each as those send it. CPU is that of the server's process. Median of three.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import uvloop

KEY = "benchmark"


@contextmanager
def server() -> Iterator[tuple[int, psutil.Process]]:
    """The receive side in a process of its own, and its port."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.doors_singles", "--serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            yield int(running.stdout.readline()), psutil.Process(running.pid)
            running.terminate()


async def serve(folder: Path) -> None:
    """The door on a free port, until it is told to end."""
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.journal.sqlite import SqliteJournal
    from watchkeeper.model.doors import IntakeKey
    from watchkeeper.receivers import webhooks
    from watchkeeper.receivers.front import Front
    from watchkeeper.receivers.limits import StaticKeyring
    from watchkeeper.receivers.pagerduty import PagerDutyDoor
    from watchkeeper.receivers.series import SeriesTable

    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    front = Front(
        [bound], (*PagerDutyDoor().rows(), *webhooks.doors()), series=SeriesTable(),
        keyring=StaticKeyring({KEY: IntakeKey(id="k", name="benchmark")}),
        group=GroupCommit(SqliteJournal(folder / "journal.db")), inner_url="http://127.0.0.1:9", inner_secret="x",
    )  # fmt: skip
    await front.start()
    print(bound.getsockname()[1], flush=True)
    await asyncio.Event().wait()


def pagerduty(number: int) -> dict[str, Any]:
    """An event that triggers."""
    payload = {"summary": f"Latency is high on host-{number}", "severity": "critical", "source": f"host-{number}",
               "custom_details": {"p99": "812 ms", "since": "5 min"}}  # fmt: skip
    return {"routing_key": KEY, "event_action": "trigger", "dedup_key": f"k{number}", "payload": payload}


def grafana(number: int) -> dict[str, Any]:
    """A notification of one alert."""
    alert = {
        "status": "firing", "labels": {"alertname": "Latency", "instance": f"host-{number}"},
        "annotations": {"summary": "high"},
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{number:016x}",
    }  # fmt: skip
    return {"receiver": "r", "status": "firing", "alerts": [alert], "groupLabels": {}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "http://grafana/", "version": "1", "groupKey": "{}"}  # fmt: skip


def uptime_kuma(number: int) -> dict[str, Any]:
    """A monitor that is down."""
    beat = {"monitorID": number, "status": 0, "time": "2026-01-01 00:00:00", "msg": "timeout", "important": True,
            "duration": 60}  # fmt: skip
    return {"heartbeat": beat, "monitor": {"id": number, "name": f"host-{number}", "type": "http", "url": "http://x/"},
            "msg": f"[host-{number}] [Down] timeout"}  # fmt: skip


SENDERS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "pagerduty": ("/v2/enqueue", pagerduty),
    "grafana": (f"/intake/grafana/{KEY}", grafana),
    "uptime_kuma": (f"/intake/uptime_kuma/{KEY}", uptime_kuma),
}


async def post(port: int, name: str, events: int, clients: int) -> None:
    """Events, as fast as they are answered."""
    path, event = SENDERS[name]
    left = iter(range(events))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in left:
            body = json.dumps(event(number)).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            writer.write(head.encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if answer[9:10] != b"2":
                raise RuntimeError(f"not accepted: {answer!r}")
            length = [x for x in answer.lower().split(b"\r\n") if x.startswith(b"content-length:")]
            await reader.readexactly(int(length[0][15:]) if length else 0)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))


def measure(process: psutil.Process, rows: int, send: Awaitable[None]) -> dict[str, float]:
    """Rows a second, and a CPU-second of the server."""
    cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()

    async def all_of_it() -> None:
        await send

    uvloop.run(all_of_it())
    took, cpu = time.perf_counter() - began, sum(process.cpu_times()[:2]) - cpu
    return {"per_s": rows / took, "per_cpu_s": rows / cpu}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return uvloop.run(serve(given.serve))
    out = {}
    for name in SENDERS:
        runs = []
        for _ in range(3):
            with server() as (port, process):
                runs.append(measure(process, given.events, post(port, name, given.events, given.clients)))
        out[name] = sorted(runs, key=lambda x: x["per_s"])[1]
    if given.json:
        print(json.dumps(out))
        return
    for name, found in out.items():
        print(f"{name:<12} { ({k: round(v) for k, v in found.items()}) }")


if __name__ == "__main__":
    main()
