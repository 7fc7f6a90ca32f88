"""OTLP over gRPC: OpenTelemetry's exporters and Google's client against the server, and hostile HTTP/2."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from h2.connection import H2Connection
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.receivers.front_harness import SECRET, RunningFront
from tests.support import eventually
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.limits import Limits

KEY = (("authorization", f"Bearer {SECRET}"),)
CODE = grpc.StatusCode


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("grpc"))
    yield running
    running.stop()


@pytest.fixture
def channel(front: RunningFront) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
        yield channel


def points(name: str, *times: int) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    for at in times:
        metric.gauge.data_points.add(as_double=1.0, time_unix_nano=at)
    return request


def now_ns() -> int:
    return time.time_ns()


def failure(channel: grpc.Channel, request: Any, **options: Any) -> Any:
    """The error of a call."""
    with pytest.raises(grpc.RpcError) as failed:
        MetricsServiceStub(channel).Export(request, timeout=20, **{"metadata": KEY, **options})
    return failed.value


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
@pytest.mark.parametrize("header", ["authorization", "x-watchkeeper-key"])
def test_the_python_sdk(front: RunningFront, compression: grpc.Compression, header: str) -> None:
    key = f"Bearer {SECRET}" if header == "authorization" else SECRET
    options: dict[str, Any] = {
        "endpoint": f"http://127.0.0.1:{front.grpc_port}", "insecure": True, "headers": ((header, key),),
        "compression": compression,
    }  # fmt: skip
    word = f"{header} {compression.name}"
    resource = Resource({"service.name": "checkout", "host.name": "web-1"})
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**options)))
    logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(**options)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options), 3_600_000)
    metrics = MeterProvider([reader], resource=resource)
    traces.get_tracer("t").start_span(word).end()
    logs.get_logger("l").emit(body=word)
    metrics.get_meter("m").create_counter("grpc.count").add(1, {"way": word})
    for provider in (traces, logs, metrics):
        provider.shutdown()
    (span,) = [r for r in front.rows(Stream.SPANS) if r["name"] == word]
    (log,) = [r for r in front.rows(Stream.LOGS) if r["body"] == word]
    assert (span["service"], span["host"]) == (log["service"], log["host"]) == ("checkout", "web-1")
    assert any(word in r["labels"] for r in front.rows(Stream.SERIES) if r["name"] == "grpc.count")


def test_counters_and_rows_are_those_of_the_door(front: RunningFront, channel: grpc.Channel) -> None:
    before = front.stats("otlp")
    response = MetricsServiceStub(channel).Export(points("rows", now_ns(), now_ns()), metadata=KEY)
    assert response == ExportMetricsServiceResponse()
    after = front.stats("otlp")
    assert (after["rows"] - before["rows"], after["requests"] - before["requests"]) == (2, 1)


def test_partial_success(channel: grpc.Channel) -> None:
    response = MetricsServiceStub(channel).Export(points("partial", now_ns(), 0), metadata=KEY)
    assert response.partial_success.rejected_data_points == 1
    assert "time" in response.partial_success.error_message


def test_who_may_not_send(channel: grpc.Channel) -> None:
    for metadata in ((), (("authorization", "Bearer wrong"),), (("x-watchkeeper-key", "elsewhere"),)):
        error = failure(channel, points("x", now_ns()), metadata=metadata)
        assert error.code() is CODE.UNAUTHENTICATED and "key" in error.details()


def test_what_is_no_request(front: RunningFront, channel: grpc.Channel) -> None:
    before = len(front.rows(Stream.DEAD_LETTERS))
    path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    for encoding in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary(path)(b"\x0a\xff\xff", metadata=KEY, timeout=20, compression=encoding)
        assert failed.value.code() is CODE.INVALID_ARGUMENT
    assert len(front.rows(Stream.DEAD_LETTERS)) == before + 2


def test_what_is_not_served(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/grpc.health.v1.Health/Check")(b"", metadata=KEY, timeout=20)
    assert failed.value.code() is CODE.UNIMPLEMENTED
    assert "MetricsService/Export" in failed.value.details()


def test_too_much_is_told_when_to_try_again(channel: grpc.Channel) -> None:
    slow = (("x-watchkeeper-key", "slow-secret"),)
    request = points("slow", *[now_ns()] * 100)
    MetricsServiceStub(channel).Export(request, metadata=slow)
    error = failure(channel, request, metadata=slow)
    assert error.code() is CODE.RESOURCE_EXHAUSTED
    trailers = dict(error.trailing_metadata())
    status = Status.FromString(trailers["grpc-status-details-bin"])
    told = RetryInfo()
    assert status.code == CODE.RESOURCE_EXHAUSTED.value[0] and status.details[0].Unpack(told)
    assert told == RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
    assert told.retry_delay.seconds >= 1


def test_a_message_has_a_size(tmp_path: Path) -> None:
    front = RunningFront(tmp_path, limits=Limits(body=100_000, decoded=400_000))
    try:
        with grpc.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
            stub = MetricsServiceStub(channel)
            error = failure(channel, points("m" * 200_000, now_ns()))
            assert error.code() is CODE.RESOURCE_EXHAUSTED and "100000" in error.details()
            assert "google.rpc.retryinfo-bin" not in dict(error.trailing_metadata())
            bomb = points("m" * 500_000, now_ns())
            error = failure(channel, bomb, compression=grpc.Compression.Gzip)
            assert error.code() is CODE.RESOURCE_EXHAUSTED and "decompressed" in error.details()
            stub.Export(points("m" * 300, now_ns()), metadata=KEY, timeout=20)  # others go on
    finally:
        front.stop()


def test_a_full_journal_and_too_much_in_hand(tmp_path: Path) -> None:
    front = RunningFront(tmp_path, max_bytes=200_000, limits=Limits(in_hand=60_000))
    try:
        with grpc.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
            error = failure(channel, points("m" * 70_000, now_ns()))
            assert error.code() is CODE.UNAVAILABLE and "large bodies" in error.details()
            stub, full = MetricsServiceStub(channel), None
            for _ in range(100):
                try:
                    stub.Export(points(os.urandom(20_000).hex(), now_ns()), metadata=KEY, timeout=20)
                except grpc.RpcError as error:
                    full = error
                    break
            assert full is not None and full.code() is CODE.UNAVAILABLE
            assert "google.rpc.retryinfo-bin" in dict(full.trailing_metadata())
    finally:
        front.stop()


def test_calls_share_a_connection(front: RunningFront, channel: grpc.Channel) -> None:
    stub = MetricsServiceStub(channel)
    calls = [stub.Export.future(points(f"many.{i}", now_ns()), metadata=KEY, timeout=60) for i in range(300)]
    assert all(c.result() == ExportMetricsServiceResponse() for c in calls)
    names = {r["name"] for r in front.rows(Stream.SERIES)}
    assert {f"many.{i}" for i in range(300)} <= names


def test_a_thousand_idle_connections_do_not_hinder(front: RunningFront, channel: grpc.Channel) -> None:
    with ExitStack() as held:
        for _ in range(1000):
            s = held.enter_context(socket.create_connection(("127.0.0.1", front.grpc_port), 10))
            s.sendall(greeting().data_to_send())
        eventually(lambda: len(front.grpc.connections) >= 1000)
        MetricsServiceStub(channel).Export(points("beside", now_ns()), metadata=KEY, timeout=20)
    eventually(lambda: len(front.grpc.connections) <= 1)


def greeting() -> H2Connection:
    client = H2Connection()
    client.initiate_connection()
    return client


def request_headers(path: str = "") -> list[tuple[str, str]]:
    path = path or "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
    return [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"),
            ("content-type", "application/grpc"), ("te", "trailers"), ("x-watchkeeper-key", SECRET)]  # fmt: skip


def test_who_says_nothing_or_stops_in_a_message_is_left(tmp_path: Path) -> None:
    front = RunningFront(tmp_path, limits=Limits(header_time=0.3, body_time=0.3))
    try:
        with socket.create_connection(("127.0.0.1", front.grpc_port), 10) as silent:
            while silent.recv(65536):
                pass
        with socket.create_connection(("127.0.0.1", front.grpc_port), 10) as stuck:
            client = greeting()
            client.send_headers(1, request_headers())
            client.send_data(1, struct.pack(">BI", 0, 1000) + b"x")
            stuck.sendall(client.data_to_send())
            said: list[Any] = []
            while not any(getattr(e, "error_code", None) == 0 for e in said):
                said += client.receive_data(stuck.recv(65536))
        assert any((b"grpc-status", b"4") in (getattr(e, "headers", None) or ()) for e in said)
        assert front.stats("otlp")["rejected"]["slow_client"] == 2
    finally:
        front.stop()


def test_who_starts_and_gives_up_without_end_is_cut_off(front: RunningFront) -> None:
    before = front.stats("otlp")["rejected"].get("too_many_resets", 0)
    with socket.create_connection(("127.0.0.1", front.grpc_port), 10) as s:
        client = greeting()
        try:
            for stream in range(1, 2001, 2):
                client.send_headers(stream, request_headers())
                client.reset_stream(stream)
                s.sendall(client.data_to_send())
            while s.recv(65536):
                pass
        except OSError:
            pass  # cut off while it was still sending
    eventually(lambda: front.stats("otlp")["rejected"].get("too_many_resets", 0) == before + 1)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_stop_the_server(front: RunningFront, rubbish: bytes, greeted: bool) -> None:
    with socket.create_connection(("127.0.0.1", front.grpc_port), 10) as s:
        client = greeting()
        client.send_headers(1, request_headers())
        s.sendall((client.data_to_send() if greeted else b"") + rubbish)
        s.shutdown(socket.SHUT_WR)
        try:
            while s.recv(65536):
                pass
        except ConnectionResetError:
            pass
    assert "internal" not in front.stats("otlp")["rejected"]


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=100))
def test_no_message_stops_the_server(front: RunningFront, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", front.grpc_port), 10) as s:
        client = greeting()
        client.send_headers(1, request_headers())
        client.send_data(1, body, end_stream=True)
        s.sendall(client.data_to_send())
        statuses: list[Any] = []
        while not statuses:
            for event in client.receive_data(s.recv(65536)):
                statuses += [v for k, v in (getattr(event, "headers", None) or ()) if k == b"grpc-status"]
    assert statuses[0] in (b"0", b"3", b"8")


def test_other_http_is_told_so(front: RunningFront) -> None:
    with socket.create_connection(("127.0.0.1", front.grpc_port), 10) as s:
        client = greeting()
        client.send_headers(1, [*request_headers()[:4], ("content-type", "text/html")], end_stream=True)
        s.sendall(client.data_to_send())
        said: list[Any] = []
        while not said:
            events = client.receive_data(s.recv(65536))
            said = [dict(e.headers)[b":status"] for e in events if getattr(e, "headers", None)]
    assert said == [b"415"]


def test_what_was_answered_before_it_stopped_is_on_disk_and_the_rest_is_told_to_come_again(
    tmp_path: Path,
) -> None:
    front = RunningFront(tmp_path)
    with grpc.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
        stub = MetricsServiceStub(channel)
        stub.Export(points("first", now_ns()), metadata=KEY, timeout=20)
        calls = [stub.Export.future(points("then", now_ns()), metadata=KEY, timeout=20) for _ in range(200)]
        front.stop()
        failed = [c.exception().code() for c in calls if c.exception() is not None]
    assert set(failed) <= {CODE.UNAVAILABLE}
    journal = SqliteJournal(tmp_path / "journal.db")
    rows = sum(e.batch.num_rows for e in journal.read(0) if e.stream is Stream.SAMPLES)
    journal.close()
    assert rows >= 1 + len(calls) - len(failed)
