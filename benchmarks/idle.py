"""What a thousand idle connections cost a good client of a door: its p99, and the server's CPU per request, with and
without them, in turns in the same run; twice without them, which shows what the machine's noise makes of it; and in the
moment in which they arrive all at once, which is a cost of another sort (`arriving`: the first 400 requests).

    python -m benchmarks.idle [--door http|syslog] [--idle 1000] [--rounds 6] [--requests 2000] [--json]

Server, good client and idle connections are three processes. Over HTTP a quarter of the idle ones says nothing, one stops
in the headers, one in the body, one after a request; over syslog's TCP half say nothing and half stop in a message. A
request of the good client is an alert that is on disk when it is answered; over syslog a message, on a connection of its
own, read until the server closes it. p99 is the median of the rounds'.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

SECRET = "wk_test_secret"
_HEAD = f"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nX-Watchkeeper-Key: {SECRET}\r\n"
_KIND = "Content-Type: application/json\r\nContent-Length: "
_SAID = {
    "http": (
        b"",
        _HEAD.encode(),
        f"{_HEAD}{_KIND}900\r\n\r\n[".encode(),
        f"{_HEAD}{_KIND}2\r\n\r\n[]".encode(),
    ),
    "syslog": (b"", b"<14>half a mess"),
}
_FIRST = 400  # requests beside connections that are arriving
_SETTLED = 1.0  # seconds after which the last of them has been taken in


def serve(door: str, folder: Path) -> None:
    """The door on a free port, until it is told to end."""
    import gc

    from watchkeeper.receivers.limits import Limits

    limits = Limits(of_one=100_000, connections=100_000, header_time=600, idle_time=600, body_time=600)
    if door == "http":
        from tests.receivers.front_harness import RunningFront

        print(RunningFront(folder, limits=limits).port, flush=True)
    else:
        from tests.receivers.syslog_harness import RunningSyslog

        running = RunningSyslog(folder, limits=limits)
        running.start()
        print(running.tcp_port, flush=True)
    gc.freeze()  # as the receive process does once it serves
    sys.stdin.read()
    os._exit(0)


def hold(door: str, port: int, count: int) -> None:
    """Be so many idle connections, until it is told to end."""
    said = _SAID[door]
    with ExitStack() as stack:
        for number in range(count):
            s = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            s.sendall(said[number % len(said)])
        print("held", flush=True)
        sys.stdin.read()


@contextmanager
def child(*arguments: str) -> Iterator[tuple[str, psutil.Process]]:
    """This program in another process, and the first line that it prints; it ends when its standard input does."""
    command = [sys.executable, "-m", "benchmarks.idle", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdin is not None
        yield running.stdout.readline().strip(), psutil.Process(running.pid)
        running.stdin.close()


def post(port: int) -> Callable[[], None]:
    """One alert after the other, on one connection."""
    import http.client

    body = json.dumps([{"labels": {"alertname": "Good", "host": "web-1"}}]).encode()
    headers = {"X-Watchkeeper-Key": SECRET, "Content-Type": "application/json"}
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def once() -> None:
        client.request("POST", "/api/v2/alerts", body, headers)
        answer = client.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"a good client was answered {answer.status}")

    return once


def say(port: int) -> Callable[[], None]:
    """One message after the other, each on a connection of its own."""

    def once() -> None:
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(b"<14>good\n")
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass

    return once


def times(once: Callable[[], None], requests: int, server: psutil.Process) -> tuple[float, float]:
    """Milliseconds: p99 of the requests, and the server's CPU for one."""
    took = []
    cpu = sum(server.cpu_times()[:2])
    for _ in range(requests):
        began = time.perf_counter()
        once()
        took.append(time.perf_counter() - began)
    cpu = sum(server.cpu_times()[:2]) - cpu
    return sorted(took)[int(len(took) * 0.99)] * 1000, cpu / requests * 1000


def main() -> None:
    """Print them and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--door", choices=list(_SAID), default="http")
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve(asked.door, asked.serve)
    if asked.hold:
        return hold(asked.door, asked.hold, asked.idle)
    found: dict[str, list[tuple[float, float]]] = {
        name: [] for name in ("alone", "alone_again", "beside_idle", "arriving")
    }
    of = ("--door", asked.door, "--idle", str(asked.idle))
    with tempfile.TemporaryDirectory() as folder, child(*of, "--serve", folder) as (port, server):
        once = (post if asked.door == "http" else say)(int(port))
        times(once, asked.requests, server)
        for _ in range(asked.rounds):
            for name in ("alone", "alone_again"):
                found[name].append(times(once, asked.requests, server))
            with child(*of, "--hold", port):
                found["arriving"].append(times(once, _FIRST, server))
                time.sleep(_SETTLED)
                found["beside_idle"].append(times(once, asked.requests, server))
            time.sleep(_SETTLED)
    told = _told(found)
    print(json.dumps(told) if asked.json else "\n".join(f"{k:<24} {v}" for k, v in told.items()))


def _told(found: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    out: dict[str, float] = {}
    for place, what in enumerate(("p99_ms", "cpu_ms")):
        of = {name: statistics.median(one[place] for one in rounds) for name, rounds in found.items()}
        out |= {f"{what}_{name}": round(value, 3) for name, value in of.items()}
        without = (of["alone"] + of["alone_again"]) / 2
        out[f"{what}_ratio_of_noise"] = round(of["alone_again"] / of["alone"], 3)
        out[f"{what}_ratio"] = round(of["beside_idle"] / without, 3)
        out[f"{what}_ratio_arriving"] = round(of["arriving"] / without, 3)
    return out | {"load": round(os.getloadavg()[0], 1)}


if __name__ == "__main__":
    main()
