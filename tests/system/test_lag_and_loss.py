"""What the doors of a whole platform tell of lag and loss: in /metrics, on the page and by the command."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub

from tests.platform import Platform
from tests.receivers.certificates import Authority
from tests.receivers.netflow_datagrams import v5, v9
from tests.receivers.test_otlp_grpc import points
from tests.support import eventually, free_port
from tests.system.jobs_parts import Browser, signed_in

PADDED = v5() + bytes(60_000)  # a datagram that fills the kernel's buffer and tells no flow


@pytest.fixture(scope="module")
def netflow() -> int:
    return free_port()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def platform(
    tmp_path_factory: pytest.TempPathFactory, netflow: int, authority: Authority
) -> Iterator[Platform]:
    chain, key = authority.issue("here")
    ports = {"WATCHKEEPER_NETFLOW": f"127.0.0.1:{netflow}", "WATCHKEEPER_SYSLOG": "127.0.0.1:0",
             "WATCHKEEPER_OTLP_GRPC": "127.0.0.1:0", "WATCHKEEPER_OTLP_GRPC_TLS": "127.0.0.1:0",
             "WATCHKEEPER_TLS_CERT": str(chain), "WATCHKEEPER_TLS_KEY": str(key)}  # fmt: skip
    with Platform(tmp_path_factory.mktemp("lag") / "var", ports, fresh=True) as running:
        running.start()
        assert running.key, "one that names no networks admits this machine"
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="module")
def browser(platform: Platform) -> Browser:
    """An administrator's."""
    return signed_in(platform)


def metric(platform: Platform, name: str) -> float | None:
    """A sample of /metrics."""
    text = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    return float(found[1]) if found else None


def measure(platform: Platform, age: float) -> None:
    """Send a sample that is so many seconds old."""
    at = time.time_ns() - int(age * 1e9)
    point = {"timeUnixNano": str(at), "asDouble": 1.0}
    body = {
        "resourceMetrics": [
            {"scopeMetrics": [{"metrics": [{"name": "late", "gauge": {"dataPoints": [point]}}]}]}
        ]
    }
    assert platform.send("/v1/metrics", json.dumps(body).encode()).status == 200


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for data in datagrams:
            s.sendto(data, ("127.0.0.1", port))


def test_late_samples_and_a_clock_that_is_ahead_are_seen(platform: Platform, browser: Browser) -> None:
    measure(platform, 90.0)
    assert (metric(platform, 'watchkeeper_door_age_seconds{door="otlp",quantile="0.5"}') or 0) >= 90
    eventually(lambda: measure(platform, -30.0) or (
        metric(platform, 'watchkeeper_door_clock_ahead_seconds{door="otlp"}') or 0) > 25)  # fmt: skip
    _, page = browser.get("/doors/")
    assert "after it happened" in page or "within a second" in page
    assert re.search(r"the clock of a sender is (29|30)\.\d s ahead", page)


def test_the_page_tells_where_doors_listen(browser: Browser, netflow: int) -> None:
    _, page = browser.get("/doors/")
    assert f"UDP 127.0.0.1:{netflow}" in page
    for spoken in ("gRPC", "TCP", "UDP"):
        assert re.search(rf"{spoken} 127\.0\.0\.1:\d+", page)
    assert "Nobody would notice if Watchkeeper itself fell silent" in page


def test_telemetry_by_grpc_over_tls_goes_where_the_page_says(
    platform: Platform, browser: Browser, authority: Authority
) -> None:
    port = re.search(r"gRPC over TLS 127\.0\.0\.1:(\d+)", browser.get("/doors/")[1])[1]  # type: ignore[index]
    credentials = grpc.ssl_channel_credentials(authority.ca.read_bytes())
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        key = (("authorization", f"Bearer {platform.key}"),)
        MetricsServiceStub(channel).Export(points("by_tls", time.time_ns()), metadata=key, timeout=20)


def test_numbers_that_an_exporter_skipped_are_missing(platform: Platform, netflow: int) -> None:
    send(netflow, v9(number=1), v9(number=2), v9(number=5))
    name = 'watchkeeper_door_lost_total{door="netflow",reason="missing_datagrams"}'
    assert eventually(lambda: metric(platform, name), 40, 0.5) == 2


def test_datagrams_that_found_no_room_are_told_when_the_process_goes_on(
    platform: Platform, browser: Browser, netflow: int
) -> None:
    receive = platform.processes()["receive"]
    receive.send_signal(signal.SIGSTOP)
    try:
        send(netflow, *[PADDED] * 1500)
    finally:
        receive.send_signal(signal.SIGCONT)
    name = 'watchkeeper_door_lost_total{door="netflow",reason="kernel_drop"}'
    dropped = eventually(lambda: metric(platform, name), 40, 0.5)
    assert dropped
    taken = 'watchkeeper_door_requests_total{door="netflow"}'
    eventually(lambda: (metric(platform, taken) or 0) + dropped >= 1500, 40, 0.5)
    _, page = browser.get("/doors/")
    assert re.search(r"\d+ datagrams \([\d.]+ %\)", page)

    def told() -> str:
        return str(json.loads(platform.run("status", "--json"))["doors"].get("netflow", ""))

    assert eventually(lambda: found if "datagrams" in (found := told()) else "", 40, 1.0)
    assert "analysis_lag" in json.loads(platform.run("status", "--json"))
