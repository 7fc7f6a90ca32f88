"""OTLP over gRPC by TLS: Google's client takes our certificate and ours alone, a renewed one is shown, and who does not
speak TLS, or never ends its handshake, is cut off."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub

from tests.receivers.certificates import Authority
from tests.receivers.front_harness import RunningFront
from tests.receivers.test_otlp_grpc import CODE, KEY, now_ns, points
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.limits import Limits
from watchkeeper.receivers.otlp_grpc import PROTOCOL
from watchkeeper.receivers.tls import Certificate

PATIENCE = 1.0  # seconds for a handshake


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def now() -> list[float]:
    """Seconds, as the certificate's clock has them."""
    return [0.0]


@pytest.fixture(scope="module")
def front(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, now: list[float]
) -> Iterator[RunningFront]:
    chain, key = authority.issue("here")
    shown = Certificate(chain, key, monotonic=lambda: now[0], protocols=(PROTOCOL,))
    running = RunningFront(
        tmp_path_factory.mktemp("grpc"), limits=Limits(header_time=PATIENCE), grpc_shown=shown
    )
    yield running
    running.stop()


def export(front: RunningFront, trusted: Path, name: str) -> None:
    """Send a metric by way of a connection that trusts this authority."""
    credentials = grpc.ssl_channel_credentials(trusted.read_bytes())
    with grpc.secure_channel(f"localhost:{front.grpc_port}", credentials) as channel:
        MetricsServiceStub(channel).Export(points(name, now_ns()), metadata=KEY, timeout=20)


def test_what_comes_by_tls_is_taken_and_a_renewed_certificate_is_shown(
    front: RunningFront, authority: Authority, now: list[float], tmp_path: Path
) -> None:
    export(front, authority.ca, "grpc_by_tls")
    stranger = Authority(tmp_path / "stranger")
    with pytest.raises(grpc.RpcError) as failed:
        export(front, stranger.ca, "grpc_for_a_stranger")
    assert failed.value.code() is CODE.UNAVAILABLE
    for renewed in stranger.issue("here"):
        (authority.folder / renewed.name).write_bytes(renewed.read_bytes())
    now[0] += 60
    export(front, stranger.ca, "grpc_renewed")
    names = {row["name"] for row in front.rows(Stream.SERIES)}
    assert {"grpc_by_tls", "grpc_renewed"} <= names and "grpc_for_a_stranger" not in names


def test_who_does_not_end_a_handshake_is_cut_off(front: RunningFront) -> None:
    for said in (b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", front.grpc_port), 20) as s:
            s.sendall(said)
            began = time.monotonic()
            while s.recv(4096):  # an alert may come before the end
                assert time.monotonic() - began < 20
