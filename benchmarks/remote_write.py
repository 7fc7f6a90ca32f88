"""Prometheus remote write: samples per CPU-second of the server, beside Debian's Prometheus with the same requests.

    python -m benchmarks.remote_write [--series 20000] [--rounds 40] [--whole] [--second] [--json]
    python -m benchmarks.remote_write --url http://host:8080/api/v1/write --key KEY --pids 12,34

`door` is the receive side alone: HTTP, decoding, journal, each request on disk before it is answered; `second` the same
with the same samples by remote write 2.0. `whole` is
`watchkeeper serve` with everything behind it, until telemetry and analysis have passed it all. `new` is the first
round, in which every series is new; `steady` the others. Prometheus' WAL is not synced. Median of three.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cramjam
import psutil
from tests.platform import Platform
from tests.support import free_port

from watchkeeper.receivers.remote_write_labels import fields

KEY = "benchmark-key"
PER_REQUEST = 2000
INTERVAL_MS = 15_000
HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

SECOND = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}


@dataclass
class Target:
    """A server that is running: where it takes requests, and whose CPU counts."""

    url: str
    key: str = ""
    processes: list[psutil.Process] = field(default_factory=list)
    settled: Callable[[], bool] = lambda: True
    second: bool = False  # is sent remote write 2.0

    def cpu(self) -> float:
        """CPU-seconds of its processes so far."""
        return sum(sum(p.cpu_times()[:2]) for p in self.processes)


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


def field_of(number: int, content: bytes) -> bytes:
    """A field of bytes as protobuf writes it."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def fleet(count: int, run: int) -> list[dict[str, str]]:
    """The labels of a fleet's series, of its own in every run: twelve labels, names of 20 to 40 characters, twenty series
    a pod."""
    names = ("http_server_requests_total", "http_server_request_duration_seconds_bucket", "go_memstats_heap_alloc_bytes",
             "container_cpu_usage_seconds_total", "node_network_receive_bytes_total")  # fmt: skip
    out = []
    for i in range(count):
        pod = i // 20
        labels = {
            "__name__": names[i % len(names)], "cluster": f"eu-central-{run}-prod", "container": "checkout",
            "endpoint": "metrics", "handler": f"/api/v1/orders/{i % 20}", "instance": f"10.12.{pod % 250}.17:9100",
            "job": "checkout", "method": "GET", "namespace": "shop", "node": f"ip-10-12-{pod % 250}-17.internal",
            "pod": f"checkout-7f9c6d5b8-{pod:05d}", "status": "200",
        }  # fmt: skip
        out.append(labels)
    return out


def label_sets(count: int, run: int) -> list[bytes]:
    """The same, encoded."""
    pairs = ((field_of(1, k.encode()) + field_of(2, v.encode()) for k, v in sorted(labels.items()))
             for labels in fleet(count, run))  # fmt: skip
    return [b"".join(field_of(1, pair) for pair in of) for of in pairs]


def requests(sets: list[bytes], time_ms: int, seed: int, size: int = PER_REQUEST) -> list[bytes]:
    """One scrape of all series, in requests of so many, by default as Prometheus makes them."""
    r = random.Random(seed)
    out = []
    for start in range(0, len(sets), size):
        body = bytearray()
        for labels in sets[start : start + size]:
            value = b"" if r.random() < 0.2 else b"\x09" + struct.pack("<d", r.random() * 1e6)
            body += field_of(1, labels + field_of(2, value + b"\x10" + varint(time_ms)))
        out.append(bytes(cramjam.snappy.compress_raw(body)))
    return out


def as_second(body: bytes) -> bytes:
    """The same request by remote write 2.0."""
    raw = bytes(cramjam.snappy.decompress_raw(body))
    symbols: dict[bytes, int] = {b"": 0}
    out = bytearray()
    for _, series in fields(raw, 0, len(raw)):
        refs, samples = bytearray(), bytearray()
        for number, message in fields(bytes(series), 0, len(bytes(series))):
            if number == 2:
                samples += field_of(2, bytes(message))
                continue
            for _, text in fields(bytes(message), 0, len(bytes(message))):
                refs += varint(symbols.setdefault(bytes(text), len(symbols)))
        out += field_of(5, field_of(1, refs) + samples)
    table = b"".join(field_of(4, symbol) for symbol in symbols)
    return bytes(cramjam.snappy.compress_raw(table + out))


def post(target: Target, bodies: list[bytes], clients: int = 2) -> float:
    """Post all, over as many connections; seconds."""
    parts = urlsplit(target.url)
    headers = {
        **HEADERS,
        **(SECOND if target.second else {}),
        **({"Authorization": f"Bearer {target.key}"} if target.key else {}),
    }
    failures: list[str] = []

    def client(mine: list[bytes]) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        for body in mine:
            connection.request("POST", parts.path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                failures.append(f"{answer.status}: {text[:300]!r}")
                break
        connection.close()

    threads = [threading.Thread(target=client, args=(bodies[i::clients],)) for i in range(clients)]
    began = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise RuntimeError(failures[0])
    return time.perf_counter() - began


def measure(target: Target, series: int, rounds: int, seed: int) -> dict[str, float]:
    """Samples per second and per CPU-second, of series not seen before and then of the same ones."""
    sets = label_sets(series, seed)
    start = int(time.time() * 1000) - rounds * INTERVAL_MS
    out: dict[str, float] = {}
    for name, of in (("new", range(1)), ("steady", range(1, rounds))):
        bodies = [b for n in of for b in requests(sets, start + n * INTERVAL_MS, seed + n)]
        if target.second:
            bodies = [as_second(b) for b in bodies]
        used, began = target.cpu(), time.perf_counter()
        post(target, bodies)
        while not target.settled():
            time.sleep(0.05)
        seconds, samples = time.perf_counter() - began, series * len(of)
        out[f"{name}_per_s"] = samples / seconds
        out[f"{name}_per_cpu_s"] = samples / (target.cpu() - used) if target.processes else 0.0
    out["resident_mb"] = sum(p.memory_info().rss for p in target.processes) / 1e6
    return out


@contextmanager
def prometheus(folder: Path) -> Iterator[Target]:
    """Debian's Prometheus as a receiver of remote write."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address={address}", "--web.enable-remote-write-receiver", "--log.level=error"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        wait_for(address)
        yield Target(f"http://{address}/api/v1/write", processes=[psutil.Process(running.pid)])
        running.terminate()


@contextmanager
def door(folder: Path) -> Iterator[Target]:
    """The receive side in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.remote_write", "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port = int(running.stdout.readline())
        yield Target(f"http://127.0.0.1:{port}/api/v1/write", KEY, [psutil.Process(running.pid)])
        running.terminate()


@contextmanager
def second(folder: Path) -> Iterator[Target]:
    """The same, to be sent remote write 2.0."""
    with door(folder) as target:
        target.second = True
        yield target


@contextmanager
def whole(folder: Path) -> Iterator[Target]:
    """`watchkeeper serve`, until its consumers have passed everything."""
    with Platform(folder / "var").start(180) as platform:
        yield Target(
            f"{platform.url}/api/v1/write",
            platform.key,
            list(platform.processes().values()),
            lambda: lag(platform) == 0,
        )
        platform.stop()


def lag(platform: Platform) -> int:
    """Journal entries that telemetry or analysis has not passed."""
    text = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
    lines = [line for line in text.splitlines() if line.startswith("watchkeeper_journal_lag_entries{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)


def wait_for(address: str, seconds: float = 30.0) -> None:
    """Return when somebody listens there."""
    host, _, port = address.rpartition(":")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nobody listens on {address}")


def serve(folder: Path) -> None:
    """The receive side on a free port, until it is told to end."""
    import uvloop

    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.journal.sqlite import SqliteJournal
    from watchkeeper.model.doors import IntakeKey
    from watchkeeper.receivers import remote_write
    from watchkeeper.receivers.front import Front
    from watchkeeper.receivers.limits import StaticKeyring
    from watchkeeper.receivers.series import SeriesTable

    async def run() -> None:
        remote_write.warm()
        bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
        table = SeriesTable()
        keyring = StaticKeyring({KEY: IntakeKey(id="k", name="benchmark")})
        front = Front(
            [bound], [remote_write.RemoteWriteDoor(table).row()], keyring=keyring, series=table,
            group=GroupCommit(SqliteJournal(folder / "journal.db")), inner_url="http://127.0.0.1:9", inner_secret="x",
        )  # fmt: skip
        await front.start()
        print(bound.getsockname()[1], flush=True)
        await asyncio.Event().wait()

    uvloop.run(run())


def median(runs: list[dict[str, float]], by: str) -> dict[str, float]:
    """The run in the middle."""
    return sorted(runs, key=lambda r: r[by])[len(runs) // 2]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--second", action="store_true")
    parser.add_argument("--url", help="a server that is running already")
    parser.add_argument("--key", default="")
    parser.add_argument("--pids", default="")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve)
    servers: dict[str, Callable[[Path], Any]] = {"door": door}
    if given.second:
        servers["second"] = second
    if given.whole:
        servers["whole"] = whole
    if shutil.which("prometheus"):
        servers["prometheus"] = prometheus
    results: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for run in range(given.runs):
            if given.url:
                pids = [psutil.Process(int(p)) for p in given.pids.split(",") if p]
                found = measure(Target(given.url, given.key, pids), given.series, given.rounds, run)
                results.setdefault("given", []).append(found)
                continue
            for name, server in servers.items():
                place = Path(folder) / f"{name}-{run}"
                place.mkdir()
                with server(place) as target:
                    results.setdefault(name, []).append(measure(target, given.series, given.rounds, run))
    out: dict[str, Any] = {name: median(runs, "steady_per_s") for name, runs in results.items()}
    for name in set(out) & {"door", "second", "whole"} if "prometheus" in out else ():
        for kind in ("new", "steady"):
            out[f"{name}_{kind}_ratio_per_cpu_s"] = statistics.median(
                a[f"{kind}_per_cpu_s"] / b[f"{kind}_per_cpu_s"]
                for a, b in zip(results[name], results["prometheus"], strict=True)
            )
    if given.json:
        print(json.dumps(out))
        return
    for name, value in sorted(out.items()):
        shown = {k: round(v) for k, v in value.items()} if isinstance(value, dict) else round(value, 2)
        print(f"{name:<30} {shown}")


if __name__ == "__main__":
    main()
