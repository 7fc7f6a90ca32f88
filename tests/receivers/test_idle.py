"""A thousand connections that say nothing, or one byte now and then: good senders are answered all the same, nobody takes
every place, and who does not go on is sent away."""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub

from tests.receivers.certificates import Authority
from tests.receivers.front_harness import SECRET, RunningFront, call, listener
from tests.receivers.smtp_harness import RunningSmtp
from tests.receivers.syslog_harness import RunningSyslog
from tests.support import eventually
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.limits import Limits
from watchkeeper.receivers.tls import Certificate

MANY = 1000
HEAD = f"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nX-Watchkeeper-Key: {SECRET}\r\n"
SILENT = (
    b"",
    HEAD.encode(),
    HEAD.encode() + b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n[",
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def hold(
    held: ExitStack, port: int, count: int, *said: bytes, source: str = "127.0.0.1"
) -> list[socket.socket]:
    """So many connections, each of which says one of these and no more."""
    made = []
    for number in range(count):
        s = held.enter_context(socket.create_connection(("127.0.0.1", port), 10, (source, 0)))
        with suppress(ConnectionError):
            s.sendall(said[number % len(said)] if said else b"")
        made.append(s)
    return made


def ended(s: socket.socket) -> bool:
    """Whether the other side has closed it."""
    s.settimeout(15)
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        return True
    return True


def alert(front: RunningFront, number: int, port: int = 0) -> int:
    body = json.dumps([{"labels": {"alertname": "Good", "n": str(number)}}]).encode()
    return call(
        port or front.port, "POST", "/api/v2/alerts", body, {"Content-Type": "application/json"}
    ).status


def log(front: RunningFront) -> None:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "good"
    with grpc.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
        LogsServiceStub(channel).Export(request, metadata=(("x-watchkeeper-key", SECRET),), timeout=20)


def test_a_thousand_idle_connections_keep_nobody_from_http(tmp_path: Path, held: ExitStack) -> None:
    front = RunningFront(tmp_path, limits=Limits(header_time=2.0, body_time=3.0))
    held.callback(front.stop)
    idle = hold(held, front.port, MANY, *SILENT)
    assert [alert(front, n) for n in range(20)] == [200] * 20
    assert all(ended(s) for s in idle), "and those are sent away"
    assert front.stats("http")["rejected"]["slow_client"] >= MANY // 2
    assert len(front.rows(Stream.EVENTS)) == 20


def test_one_byte_now_and_then_gains_nothing(tmp_path: Path, held: ExitStack) -> None:
    """Whoever lets the headers trickle, at first or after a good request, and whoever lets the body."""
    limits = Limits(header_time=1.0, body_time=1.0, keepalive_time=1.0)
    front = RunningFront(tmp_path, limits=limits)
    held.callback(front.stop)
    good = HEAD.encode() + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
    slow = hold(held, front.port, 20, HEAD.encode(), SILENT[2], good + HEAD.encode())
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.1):
            for s in slow:
                with suppress(OSError):
                    s.sendall(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        assert all(ended(s) for s in slow)
    finally:
        stop.set()
        thread.join()
    assert alert(front, 1) == 200


def test_a_handshake_has_to_end_in_time(tmp_path: Path, held: ExitStack) -> None:
    authority = Authority(tmp_path)
    secured, certificate = listener(), Certificate(*authority.issue("here"))
    front = RunningFront(tmp_path, limits=Limits(header_time=1.0), secured=(secured, certificate))
    held.callback(secured.close)
    held.callback(front.stop)
    assert all(ended(s) for s in hold(held, secured.getsockname()[1], 50, b"", b"\x16\x03\x01\x02"))


def test_one_address_does_not_take_every_place(tmp_path: Path, held: ExitStack) -> None:
    front = RunningFront(tmp_path, limits=Limits(connections=200, of_one=20))
    held.callback(front.stop)
    for port in (front.port, front.grpc_port):
        hold(held, port, 60, source="127.0.0.9")
    eventually(lambda: front.stats("http")["rejected"].get("too_many_connections") == 40)
    eventually(lambda: front.stats("otlp")["rejected"].get("too_many_connections") == 40)
    assert alert(front, 1) == 200
    log(front)
    held.pop_all().close()


def test_places_are_given_back(tmp_path: Path, held: ExitStack) -> None:
    front = RunningFront(tmp_path, limits=Limits(of_one=5))
    held.callback(front.stop)
    for _ in range(4):
        with ExitStack() as few:
            hold(few, front.port, 4, HEAD.encode())
            hold(few, front.grpc_port, 4)
            assert alert(front, 1) == 200
        eventually(lambda: not front.front._runner.server.connections)  # type: ignore[union-attr]
        eventually(lambda: not front.grpc.connections)
    assert "too_many_connections" not in front.stats("http")["rejected"]


def test_a_thousand_idle_connections_keep_nobody_from_grpc(tmp_path: Path, held: ExitStack) -> None:
    front = RunningFront(tmp_path, limits=Limits(header_time=2.0))
    held.callback(front.stop)
    idle = hold(held, front.grpc_port, MANY, b"", PREFACE[:10])
    log(front)
    assert all(ended(s) for s in idle)
    assert [r["body"] for r in front.rows(Stream.LOGS)] == ["good"]


def test_a_thousand_idle_connections_keep_nobody_from_syslog(tmp_path: Path, held: ExitStack) -> None:
    """Plain ones may stay: senders of syslog say nothing for hours. With TLS the handshake has to end."""
    authority = Authority(tmp_path)
    made = RunningSyslog(
        tmp_path, certificate=Certificate(*authority.issue("here")), limits=Limits(header_time=1.0)
    )
    held.callback(made.close)
    made.start()
    held.callback(made.stop)
    hold(held, made.tcp_port, MANY, b"<14>half a mess", b"")
    shaking = hold(held, made.tls_port, 200, b"", b"\x16\x03")
    trusted = ssl.create_default_context(cafile=str(authority.ca))
    with made.connect() as plain:
        plain.sendall(b"<14>good and plain\n")
    with (
        socket.create_connection(("127.0.0.1", made.tls_port), 10) as s,
        trusted.wrap_socket(s, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(b"<14>good and safe\n")
    eventually(lambda: {"good and plain", "good and safe"} <= set(made.bodies()))
    assert all(ended(s) for s in shaking)


def test_idle_connections_keep_nobody_from_mail(tmp_path: Path, held: ExitStack) -> None:
    made = RunningSmtp(tmp_path)
    held.callback(made.stop)
    for host in range(2, 12):
        hold(held, made.port, 95, b"", b"EHLO half", source=f"127.0.0.{host}")
    hold(held, made.port, 20, source="127.0.0.2")
    with smtplib.SMTP("127.0.0.1", made.port, timeout=20) as s:
        assert s.ehlo()[0] == 250
    assert made.counted["rejected"]["too_many_connections"] >= 15
