"""OTLP's metrics over HTTP and over gRPC beside remote write: points per CPU-second of the server, with the same series.

    python -m benchmarks.otlp_metrics [--series 20000] [--rounds 20] [--runs 3] [--json]

The receive side in a process of its own: HTTP, gRPC, decoding, journal, each request on disk before it is answered. The
first round, in which every series is new, is `new`; the others are `steady`. `http` and `grpc` are as a Collector sends by
default: batches of 8192 points, with gzip. `plain` is without gzip, `500` and `50` are smaller batches. In `histograms` a
fifth of the points are some of ten buckets, each counted as the samples that it becomes. Remote write sends 2000 samples
at a time with snappy, as Prometheus does by default, and 500 for comparison. Two connections each. `ratio` is to remote
write's steady figure in the same run. Median of the runs.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import psutil
import uvloop
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from benchmarks.remote_write import INTERVAL_MS, KEY, PER_REQUEST, Target, fleet, label_sets, post, requests

BATCH = 8192  # send_batch_size of the Collector's batch processor
EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
ON_POINTS = ("endpoint", "handler", "method", "status")  # labels; the others are the resource's
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
OF_ONE = len(BOUNDS) + 3  # samples that a histogram's point becomes


class Way(NamedTuple):
    """One way to send: over what, how many points at a time."""

    over: str  # http, grpc, remote_write
    batch: int = BATCH
    compressed: bool = True
    histograms: bool = False
    share: float = 1.0  # of the rounds


WAYS = {
    "remote_write": Way("remote_write", PER_REQUEST), "remote_write 500": Way("remote_write", 500, share=0.5),
    "http": Way("http"), "grpc": Way("grpc"),
    "http plain": Way("http", compressed=False), "grpc plain": Way("grpc", compressed=False),
    "http 500": Way("http", 500, share=0.5), "grpc 500": Way("grpc", 500, share=0.5),
    "http 50": Way("http", 50, share=0.2), "grpc 50": Way("grpc", 50, share=0.2),
    "http histograms": Way("http", histograms=True, share=0.2),
}  # fmt: skip


@contextmanager
def server() -> Iterator[tuple[int, int, psutil.Process]]:
    """The receive side in a process of its own: ports of HTTP and of gRPC."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.otlp_metrics", "--serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            over_http, over_grpc = map(int, running.stdout.readline().split())
            yield over_http, over_grpc, psutil.Process(running.pid)
            running.terminate()


async def serve(folder: Path) -> None:
    """The doors on free ports, until it is told to end."""
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.journal.sqlite import SqliteJournal
    from watchkeeper.model.doors import IntakeKey
    from watchkeeper.receivers import otlp, otlp_grpc, remote_write
    from watchkeeper.receivers.front import Front
    from watchkeeper.receivers.limits import StaticKeyring
    from watchkeeper.receivers.series import SeriesTable

    remote_write.warm()
    otlp.warm()
    bound = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(2)]
    series = SeriesTable()
    telemetry = otlp.doors(series)
    front = Front(
        bound[:1], [remote_write.RemoteWriteDoor(series).row(), *(d.row() for d in telemetry)], series=series,
        keyring=StaticKeyring({KEY: IntakeKey(id="k", name="benchmark")}),
        group=GroupCommit(SqliteJournal(folder / "journal.db")), inner_url="http://127.0.0.1:9", inner_secret="x",
    )  # fmt: skip
    await front.start()
    await otlp_grpc.server(bound[1], telemetry, front.intake).start()
    print(*(s.getsockname()[1] for s in bound), flush=True)
    await asyncio.Event().wait()


def batches(series: list[dict[str, str]], way: Way, time_ms: int, number: int) -> list[bytes]:
    """One collection of all series, in requests as a Collector makes them: a resource a pod, its metrics, their points."""
    step = way.batch // OF_ONE if way.histograms else way.batch
    return [_batch(series[at : at + step], way, time_ms, number) for at in range(0, len(series), step)]


def _batch(series: list[dict[str, str]], way: Way, time_ms: int, number: int) -> bytes:
    request = ExportMetricsServiceRequest()
    for _, pod in groupby(series, key=lambda labels: labels["pod"]):
        of = list(pod)
        found = request.resource_metrics.add()
        for key, value in of[0].items():
            if key not in (*ON_POINTS, "__name__"):
                found.resource.attributes.add(key=key).value.string_value = value
        scoped = found.scope_metrics.add()
        scoped.scope.name = (
            "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
        )
        for name, members in groupby(sorted(of, key=_name), key=_name):
            metric = scoped.metrics.add(
                name=name, description="What this measures, said in a line.", unit="1"
            )
            data: Any = metric.histogram if way.histograms and "bucket" in name else metric.sum
            data.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            for labels in members:
                at = time_ms * 1_000_000
                point = data.data_points.add(time_unix_nano=at, start_time_unix_nano=at - 10**12)
                for key in ON_POINTS:
                    point.attributes.add(key=key).value.string_value = labels[key]
                if data is metric.sum:
                    point.as_double = number * 1.25
                    continue
                point.explicit_bounds.extend(BOUNDS)
                point.bucket_counts.extend([number] * (len(BOUNDS) + 1))
                point.count, point.sum = number * (len(BOUNDS) + 1), number * 0.75
    body = request.SerializeToString()
    return gzip.compress(body, 6) if way.compressed and way.over == "http" else body


def _name(labels: dict[str, str]) -> str:
    return labels["__name__"]


def over_http(port: int, bodies: list[bytes], way: Way) -> None:
    """Post them."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {KEY}"}
    if way.compressed:
        headers["Content-Encoding"] = "gzip"
    for body in bodies:
        connection.request("POST", "/v1/metrics", body, headers)
        if connection.getresponse().read():
            raise SystemExit("not all was taken")


def over_grpc(port: int, bodies: list[bytes], way: Way) -> None:
    """Call with them; gRPC compresses by itself."""
    kind = grpc.Compression.Gzip if way.compressed else grpc.Compression.NoCompression
    with grpc.insecure_channel(f"127.0.0.1:{port}", compression=kind) as channel:
        export = channel.unary_unary(EXPORT)
        for body in bodies:
            if export(body, metadata=(("x-watchkeeper-key", KEY),)):
                raise SystemExit("not all was taken")


def in_parallel(
    send: Callable[[int, list[bytes], Way], None], port: int, bodies: list[bytes], way: Way
) -> None:
    """Send all, over two connections."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(send, port, bodies[at::2], way) for at in range(2)]:
            done.result()


def measure(
    name: str, rounds: int, series: int, seed: int, at: tuple[int, int, psutil.Process]
) -> dict[str, float]:
    """Points per CPU-second and per second, of series not seen before and then of the same ones."""
    way, (http_port, grpc_port, process) = WAYS[name], at
    of, sets = fleet(series, seed), label_sets(series, seed)
    start = int(time.time() * 1000) - rounds * INTERVAL_MS
    each = sum(OF_ONE if way.histograms and "bucket" in _name(x) else 1 for x in of)
    out: dict[str, float] = {}
    for phase, numbers in (("new", range(1)), ("steady", range(1, 1 + max(1, round(rounds * way.share))))):
        bodies: list[bytes] = []
        for n in numbers:
            at_ms = start + n * INTERVAL_MS
            if way.over == "remote_write":
                bodies += requests(sets, at_ms, n, way.batch)
            else:
                bodies += batches(of, way, at_ms, n)
        cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
        match way.over:
            case "remote_write":
                post(Target(f"http://127.0.0.1:{http_port}/api/v1/write", KEY), bodies)
            case "http":
                in_parallel(over_http, http_port, bodies, way)
            case _:
                in_parallel(over_grpc, grpc_port, bodies, way)
        took, used = time.perf_counter() - began, sum(process.cpu_times()[:2]) - cpu
        points = each * len(numbers)
        out |= {f"{phase}_per_cpu_s": points / used, f"{phase}_per_s": points / took}
    return out


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(WAYS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return uvloop.run(serve(given.serve))
    names = [n for n in WAYS if n in given.only or n == "remote_write"]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for run in range(given.runs):
        with server() as at:
            for name in names:
                found = measure(
                    name, given.rounds, given.series, run * len(WAYS) + list(WAYS).index(name), at
                )
                runs[name].append(found)
                found["ratio"] = found["steady_per_cpu_s"] / runs["remote_write"][-1]["steady_per_cpu_s"]
    out = {name: {key: statistics.median(r[key] for r in of) for key in of[0]} for name, of in runs.items()}
    load = round(os.getloadavg()[0], 1)
    if given.json:
        print(json.dumps({**out, "load": load}))
        return
    for name, shown in out.items():
        print(f"{name:<16} { ({k: round(v, 2) if k == 'ratio' else round(v) for k, v in shown.items()}) }")
    print(f"load of the machine: {load}")


if __name__ == "__main__":
    main()
