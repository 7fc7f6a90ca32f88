"""Single events, one a request and each on disk before it is answered; and OTLP over gRPC beside HTTP.

    python -m benchmarks.doors_singles [--events 20000] [--clients 64] [--calls 2000] [--json]

`pagerduty` posts to /v2/enqueue from many connections at once, each waiting for its answer. `otlp_http` and
`otlp_grpc` send the same requests of 500 points one after the other, through OpenTelemetry's Python stubs and http.client.
CPU is that of the server's process. Median of three.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import psutil
import uvloop
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub

KEY = "benchmark"
POINTS = 500


@contextmanager
def server() -> Iterator[tuple[int, int, psutil.Process]]:
    """The receive side in a process of its own: ports of HTTP and of gRPC."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.doors_singles", "--serve", folder]
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
    from watchkeeper.receivers import otlp, otlp_grpc
    from watchkeeper.receivers.front import Front
    from watchkeeper.receivers.limits import StaticKeyring
    from watchkeeper.receivers.pagerduty import PagerDutyDoor
    from watchkeeper.receivers.series import SeriesTable

    bound = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(2)]
    series = SeriesTable()
    telemetry = otlp.doors(series)
    front = Front(
        bound[:1], [*PagerDutyDoor().rows(), *(d.row() for d in telemetry)], series=series,
        keyring=StaticKeyring({KEY: IntakeKey(id="k", name="benchmark")}),
        group=GroupCommit(SqliteJournal(folder / "journal.db")), inner_url="http://127.0.0.1:9", inner_secret="x",
    )  # fmt: skip
    await front.start()
    await otlp_grpc.server(bound[1], telemetry, front.intake).start()
    print(*(s.getsockname()[1] for s in bound), flush=True)
    await asyncio.Event().wait()


async def post_events(port: int, events: int, clients: int) -> None:
    """PagerDuty events, as fast as they are answered."""
    left = iter(range(events))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in left:
            payload = {"summary": f"Latency is high on host-{number}", "severity": "critical",
                       "source": f"host-{number}", "custom_details": {"p99": "812 ms", "since": "5 min"}}  # fmt: skip
            event = {
                "routing_key": KEY,
                "event_action": "trigger",
                "dedup_key": f"k{number}",
                "payload": payload,
            }
            body = json.dumps(event).encode()
            writer.write(
                b"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 202 " not in head:
                raise SystemExit(f"not accepted: {head!r}")
            length = next(x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))


def points(number: int) -> ExportMetricsServiceRequest:
    """A request of many points."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    for i in range(POINTS):
        point = metric.gauge.data_points.add(as_double=number, time_unix_nano=time.time_ns())
        point.attributes.add(key="route").value.string_value = f"/api/v1/orders/{i}"
    return request


async def over_http(port: int, requests: list[ExportMetricsServiceRequest]) -> None:
    """Post them."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {KEY}"}
    for request in requests:
        connection.request("POST", "/v1/metrics", request.SerializeToString(), headers)
        if connection.getresponse().read():
            raise SystemExit("not all was taken")


async def over_grpc(port: int, requests: list[ExportMetricsServiceRequest]) -> None:
    """Call with them."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        export = MetricsServiceStub(channel).Export
        for request in requests:
            export(request, metadata=(("x-watchkeeper-key", KEY),))


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
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return uvloop.run(serve(given.serve))
    requests = [points(n) for n in range(given.calls)]
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(3):
        with server() as (http_port, grpc_port, process):
            kinds: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
                "pagerduty": (given.events, lambda: post_events(http_port, given.events, given.clients)),
                "otlp_http": (given.calls * POINTS, lambda: over_http(http_port, requests)),
                "otlp_grpc": (given.calls * POINTS, lambda: over_grpc(grpc_port, requests)),
            }
            for name, (rows, send) in kinds.items():
                runs.setdefault(name, []).append(measure(process, rows, send()))
    out = {name: sorted(r, key=lambda x: x["per_s"])[1] for name, r in runs.items()}
    if given.json:
        print(json.dumps(out))
        return
    for name, found in out.items():
        print(f"{name:<12} { ({k: round(v) for k, v in found.items()}) }")


if __name__ == "__main__":
    main()
