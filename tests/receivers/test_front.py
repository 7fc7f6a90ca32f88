"""The front from outside, over real sockets: keys, limits, bombs, framing, health, and that what was
acknowledged is in the journal."""

from __future__ import annotations

import base64
import gzip
import json
import os
import socket
import time
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cramjam
import pytest

from tests.receivers.front_harness import INNER, SECRET, RunningFront, call, exchange
from tests.support import eventually
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.limits import Limits

JSON = {"Content-Type": "application/json"}
PATH = "/api/v2/alerts"


def alerts(name: str, count: int = 1) -> bytes:
    return json.dumps([{"labels": {"alertname": name, "n": str(i)}} for i in range(count)]).encode()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    limits = Limits(
        body=4 * 2**20, decoded=8 * 2**20, idle_time=0.5, body_time=2.0, header_time=0.7, in_hand=6 * 2**20
    )
    running = RunningFront(tmp_path_factory.mktemp("front"), limits=limits)
    yield running
    running.stop()


def head_of_post() -> str:
    key = f"Authorization: Bearer {SECRET}"
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{key}\r\nContent-Type: application/json\r\n"


def test_what_is_acknowledged_is_in_the_journal(front: RunningFront) -> None:
    reply = front.call("POST", PATH, alerts("Stored", 3), JSON)
    assert (reply.status, reply.body) == (200, b"")
    assert [r["labels"] for r in front.rows(Stream.EVENTS) if r["name"] == "Stored"] == [
        f'{{"alertname":"Stored","n":"{i}"}}' for i in range(3)
    ]


@pytest.mark.parametrize("given", [
    {"Authorization": f"Bearer {SECRET}"},
    {"Authorization": "Basic " + base64.b64encode(f"anyone:{SECRET}".encode()).decode()},
    {"X-Watchkeeper-Key": SECRET},
])  # fmt: skip
def test_a_key_may_come_three_ways(front: RunningFront, given: dict[str, str]) -> None:
    assert front.call("POST", PATH, b"[]", {**JSON, **given}, key=None).status == 200


@pytest.mark.parametrize("given", [
    {}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer "}, {"Authorization": "Basic !!!"},
    {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()}, {"Authorization": "Digest x"},
    {"X-Watchkeeper-Key": "elsewhere"}, {"X-Watchkeeper-Key": "otlp-only"}, {"X-Watchkeeper-Key": "\xe4\xf6"},
])  # fmt: skip
def test_without_a_key_for_this_door_and_address_nothing_is_read_or_kept(
    front: RunningFront, given: dict[str, str]
) -> None:
    before = (
        len(front.rows(Stream.DEAD_LETTERS)),
        front.stats("alertmanager")["rejected"].get("unauthorised", 0),
    )
    reply = front.call("POST", PATH, b"rubbish", {**JSON, **given}, key=None)
    assert reply.status == 401
    assert reply.headers.get_all("WWW-Authenticate") == [
        'Bearer realm="watchkeeper"',
        'Basic realm="watchkeeper"',
    ]
    after = len(front.rows(Stream.DEAD_LETTERS)), front.stats("alertmanager")["rejected"]["unauthorised"]
    assert after == (before[0], before[1] + 1)


@pytest.mark.parametrize(("encoding", "pack"), [
    ("gzip", gzip.compress), ("identity", bytes), ("GZIP", gzip.compress),
    ("deflate", zlib.compress), ("deflate", lambda b: zlib.compress(b)[2:-4]),
    ("zstd", lambda b: bytes(cramjam.zstd.compress(b))),
    ("snappy", lambda b: bytes(cramjam.snappy.compress_raw(b))),
    ("gzip", lambda b: gzip.compress(b[:50]) + gzip.compress(b[50:])),
])  # fmt: skip
@pytest.mark.parametrize("count", [2, 4000])
def test_encodings(front: RunningFront, encoding: str, pack: Any, count: int) -> None:
    name = f"{encoding}{count}{pack(b'')[:4].hex()}"
    reply = front.call("POST", PATH, pack(alerts(name, count)), {**JSON, "Content-Encoding": encoding})
    assert reply.status == 200, reply
    assert sum(r["name"] == name for r in front.rows(Stream.EVENTS)) >= count


@pytest.mark.parametrize(("given", "reason"), [
    ({"Content-Type": "text/plain"}, "unsupported_media"), ({}, "unsupported_media"),
    ({**JSON, "Content-Encoding": "br"}, "unsupported_encoding"),
    ({**JSON, "Content-Encoding": "gzip, gzip"}, "unsupported_encoding"),
])  # fmt: skip
def test_media_that_the_door_does_not_speak(front: RunningFront, given: dict[str, str], reason: str) -> None:
    before = front.stats("alertmanager")["rejected"].get(reason, 0)
    assert front.call("POST", PATH, b"[]", given).status == 415
    assert front.stats("alertmanager")["rejected"][reason] == before + 1


BOMBS = (
    "gzip", "gzip members", "zlib", "zstd", "snappy", "snappy that lies", "depth", "depth small",
    "depth of lists", "empty objects", "depth, otlp", "depth, otlp small", "messages, otlp",
)  # fmt: skip


@cache
def bombs() -> dict[str, tuple[str, str, bytes, int]]:
    zeros = b"0" * (100 << 20)
    deep = b'[{"labels":' + b'{"a":' * 600_000
    attribute = b'{"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":'
    out = {
        "gzip": ("application/json", "gzip", gzip.compress(zeros, 1), 413),
        "gzip members": ("application/json", "gzip", gzip.compress(b"") * 100_000, 400),
        "zlib": ("application/json", "deflate", zlib.compress(zeros, 1), 413),
        "zstd": ("application/json", "zstd", bytes(cramjam.zstd.compress(zeros)), 413),
        "snappy": ("application/json", "snappy", bytes(cramjam.snappy.compress_raw(zeros[: 60 << 20])), 413),
        "snappy that lies": ("application/json", "snappy", b"\xff\xff\xff\xff\x0f" + b"\0" * 100, 413),
        "depth": ("application/json", "identity", deep, 413),
        "depth small": ("application/json", "identity", deep[:150_000], 400),
        "depth of lists": ("application/json", "identity", b"[" * 3_000_000, 413),
        "empty objects": ("application/json", "gzip", gzip.compress(b'[{"labels":{}},' * 500_000), 413),
        "depth, otlp": (
            "application/json",
            "identity",
            attribute + b'{"arrayValue":{"values":[' * 100_000,
            413,
        ),
        "depth, otlp small": (
            "application/json",
            "identity",
            attribute + b'{"arrayValue":{"values":[' * 5_000,
            400,
        ),
        "messages, otlp": ("application/x-protobuf", "gzip", gzip.compress(b"\x0a\x00" * (4 << 20)), 413),
    }
    return out


def peak_kib() -> int:
    """The most this process has had resident since the peak was last forgotten."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_soon_and_takes_little_memory(front: RunningFront, name: str) -> None:
    content_type, encoding, body, status = bombs()[name]
    path = "/v1/logs" if "otlp" in name else PATH
    front.call("POST", PATH, alerts("Warm"), JSON)
    headers = {"Content-Type": content_type, "Content-Encoding": encoding}
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_kib()
    began = time.monotonic()
    reply = call(front.port, "POST", path, body, headers)
    took = time.monotonic() - began
    grown = peak_kib() - before
    assert reply.status == status, reply
    assert took < 5.0, "the promise is one second; this machine may be busy"
    assert grown < 50 * 1024
    assert front.call("POST", PATH, alerts("After"), JSON).status == 200


def test_bodies_over_the_limit(front: RunningFront) -> None:
    big = b" " * (4 * 2**20 + 1)
    reply = front.call("POST", PATH, big[:10], {**JSON, "Content-Length": str(len(big))})
    assert reply.status == 413
    with socket.create_connection(("127.0.0.1", front.port), timeout=20) as s:
        s.sendall(head_of_post().encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            for _ in range(80):
                s.sendall(chunk)
            s.recv(1000)  # who hangs up before the answer has gone away, and not sent too much
        except (BrokenPipeError, ConnectionResetError):
            pass
    eventually(lambda: front.stats("alertmanager")["rejected"].get("too_large", 0) >= 2)


def test_expect_continue_is_answered_before_the_body(front: RunningFront) -> None:
    with socket.create_connection(("127.0.0.1", front.port), timeout=5) as s:
        body = alerts("Expected")
        more = f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        s.sendall((head_of_post() + more).encode())
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_key_pays_for_its_rows(front: RunningFront) -> None:
    """10 rows a second, a burst of 50: 70 at once are taken, and then it is in debt for 2 seconds."""
    assert front.call("POST", PATH, alerts("Rate", 70), JSON, key="slow-secret").status == 200
    reply = front.call("POST", PATH, alerts("Rate"), JSON, key="slow-secret")
    assert reply.status == 429
    assert 1 <= int(reply.headers["Retry-After"]) <= 2
    assert "10 rows/s" in reply.json()
    assert front.call("POST", PATH, alerts("Other key"), JSON).status == 200


def test_slow_bodies_and_silent_connections_are_let_go(front: RunningFront) -> None:
    head = head_of_post()
    with (
        socket.create_connection(("127.0.0.1", front.port), timeout=8) as stalled,
        socket.create_connection(("127.0.0.1", front.port), timeout=8) as dripping,
        socket.create_connection(("127.0.0.1", front.port), timeout=8) as headless,
    ):
        stalled.sendall(head.encode() + b"Content-Length: 100\r\n\r\n[")
        dripping.sendall(head.encode() + b"Content-Length: 100\r\n\r\n[")
        headless.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        began = time.monotonic()
        stopped: dict[str, float] = {}
        while len(stopped) < 3 and time.monotonic() - began < 8:
            for name, s, data in (
                ("dripping", dripping, b" "),
                ("headless", headless, b"b"),
                ("stalled", stalled, b""),
            ):
                try:
                    if name not in stopped and data:
                        s.sendall(data)
                    s.settimeout(0.02)
                    if name not in stopped and (not (got := s.recv(100)) or got.startswith(b"HTTP/1.1 408")):
                        stopped[name] = time.monotonic() - began
                except TimeoutError:
                    pass
                except OSError:
                    stopped[name] = time.monotonic() - began
            time.sleep(0.05)
    assert set(stopped) == {"stalled", "dripping", "headless"}
    assert front.stats("alertmanager")["rejected"]["slow_client"] >= 2
    assert front.stats("http")["rejected"]["slow_client"] >= 1


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % i for i in range(500)) + b"\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"nonsense\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
])  # fmt: skip
def test_what_is_no_http_is_answered_and_counted(front: RunningFront, data: bytes) -> None:
    before = front.stats("http")["rejected"].get("malformed_http", 0)
    assert exchange(front.port, data).startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert front.stats("http")["rejected"]["malformed_http"] == before + 1


def test_bad_chunks_in_a_body_are_a_clear_error(front: RunningFront) -> None:
    head = head_of_post()
    for chunks in (b"zz\r\n[]\r\n0\r\n\r\n", b"2\r\n[]junk\r\n0\r\n\r\n", b"2\r\n[]\r\n-1\r\n\r\n"):
        answer = exchange(front.port, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")), answer
    answer = exchange(front.port, head.encode() + b"Content-Length: 100\r\n\r\n[]", half_close=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_the_doors_numbers_are_for_the_web_process_alone(front: RunningFront) -> None:
    assert front.call("GET", "/-/receive/stats").status == 404
    assert front.call("GET", "/-/receive/stats", None, {"X-Watchkeeper-Inner": "guess"}).status == 404
    assert front.call("POST", PATH, alerts("Counted"), JSON).status == 200
    assert front.call("POST", PATH, b"{", JSON).status == 400
    reply = front.call("GET", "/-/receive/stats", None, {"X-Watchkeeper-Inner": INNER})
    numbers = reply.json()["alertmanager"]
    assert (
        numbers["requests"] > 0 and numbers["rows"] >= numbers["requests"] - 20 and numbers["in_flight"] == 0
    )
    assert numbers["last_seen_ms"] > time.time() * 1000 - 60_000
    text = front.call(
        "GET", "/-/receive/stats?format=prometheus", None, {"X-Watchkeeper-Inner": INNER}
    ).body.decode()
    assert f'watchkeeper_door_requests_total{{door="alertmanager"}} {numbers["requests"]}\n' in text
    assert 'watchkeeper_door_rejected_total{door="alertmanager",reason="' in text


def test_a_full_journal_says_so_and_loses_nothing(tmp_path: Path) -> None:
    front = RunningFront(tmp_path, max_bytes=64 * 1024)
    try:
        taken = 0
        while (reply := front.call("POST", PATH, alerts(f"Fill{taken}", 50), JSON)).status == 200:
            taken += 1
            assert taken < 1000
        assert reply.status == 503
        assert int(reply.headers["Retry-After"]) >= 1
        text = base64.b64encode(os.urandom(40_000)).decode()
        record = {"body": {"stringValue": text}}
        logs = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
        otlp = front.call("POST", "/v1/logs", logs, JSON)
        assert (otlp.status, otlp.json()["code"]) == (503, 14)
        assert front.call("GET", "/healthz", key=None).status == 503
        assert len(front.rows(Stream.EVENTS)) == 50 * taken
        for consumer in ("telemetry", "analysis"):
            front.journal.commit(consumer, front.journal.end())
        assert front.call("POST", PATH, alerts("Again"), JSON).status == 200
        assert front.call("GET", "/healthz", key=None).status == 200
    finally:
        front.stop()
