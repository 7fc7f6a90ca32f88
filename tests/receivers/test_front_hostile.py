"""Ten thousand malformed bodies at each door, good traffic between them: nothing breaks, each is counted by
its reason, what may be kept is kept, and everything good is in the journal."""

from __future__ import annotations

import http.client
import json
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.receivers.front_harness import SECRET, RunningFront
from tests.support import eventually
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.limits import Limits

ALERTS, LOGS = "/api/v2/alerts", "/v1/logs"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
BODIES, AT_ONCE = 10_000, 50
ENCODINGS = ("gzip", "zstd", "snappy", "deflate")
JUNK = (
    b"{",
    b"[1]",
    b'[{"labels":{"a":',
    b'"',
    b"[null]",
    b'{"resourceLogs":1}',
    b"<xml/>",
    b"[[[[[[[",
    b"NaN",
)
REASONS = {"malformed", "bad_compression", "too_large_decompressed", "unprocessable"}
_HEAD = f"POST {ALERTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n".encode()
MISBEHAVIOUR = (
    b"GET / HTTP/1.1\r\nX: ",
    _HEAD + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n[",
    _HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\x00" * 100,
    _HEAD + b"X-Big: " + b"x" * 30_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[RunningFront]:
    front = RunningFront(tmp_path, limits=Limits(letters_per_second=5.0, header_time=1.0))
    yield front
    front.stop()


def request(path: str, body: bytes, content_type: str, encoding: str = "identity") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Watchkeeper-Key: {SECRET}\r\nContent-Type: {content_type}\r\n"
        f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def pipelined(s: socket.socket, requests: list[bytes]) -> list[int]:
    """Send requests one behind the other, and read as many responses."""
    s.sendall(b"".join(requests))
    got, statuses = b"", []
    while len(statuses) < len(requests):
        head, found, rest = got.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        size = int(length[1]) if length else 0
        if found and len(rest) >= size:
            statuses.append(int(head[9:12]))
            got = rest[size:]
            continue
        piece = s.recv(65536)
        assert piece, "the connection was closed"
        got += piece
    return statuses


def good_alert(number: int) -> bytes:
    return json.dumps([{"labels": {"alertname": "Good", "n": str(number)}}]).encode()


def good_log(number: int) -> bytes:
    record = {"body": {"stringValue": f"good {number}"}}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


def rubbish(chance: random.Random, valid: bytes) -> tuple[bytes, str]:
    """A body that is never valid, and its encoding."""
    kind = chance.randrange(4)
    if kind == 0:
        return chance.choice(JUNK), "identity"
    if kind == 1:
        return valid[: chance.randrange(1, len(valid) - 1)] + b"\xff\xff\xff", "identity"
    noise = chance.randbytes(chance.randrange(1, 200))
    return (noise, chance.choice(ENCODINGS)) if kind == 2 else (b"\xff" + noise, "identity")


TARGETS = {"alertmanager": [(ALERTS, JSON)], "otlp": [(LOGS, JSON), ("/v1/traces", PROTOBUF)]}


@pytest.mark.parametrize("door", list(TARGETS))
def test_ten_thousand_malformed_bodies(front: RunningFront, door: str) -> None:
    chance = random.Random(door)
    good_path, good = (ALERTS, good_alert) if door == "alertmanager" else (LOGS, good_log)
    statuses: Counter[int] = Counter()
    with socket.create_connection(("127.0.0.1", front.port), timeout=30) as s:
        for i in range(BODIES // AT_ONCE):
            bad = []
            for _ in range(AT_ONCE):
                path, content_type = chance.choice(TARGETS[door])
                body, encoding = rubbish(chance, good(0))
                bad.append(request(path, body, content_type, encoding))
            statuses.update(pipelined(s, [*bad, request(good_path, good(i), JSON)]))
    assert statuses.pop(200) == BODIES // AT_ONCE
    assert statuses.total() == BODIES and set(statuses) <= {400, 413, 422}, statuses
    numbers = front.stats(door)
    assert sum(numbers["rejected"].values()) == BODIES, "each is counted"
    assert set(numbers["rejected"]) <= REASONS
    assert numbers["dead_letters"] + numbers["dead_letters_dropped"] == BODIES
    letters = front.rows(Stream.DEAD_LETTERS)
    assert len(letters) == numbers["dead_letters"] >= 50
    assert all(r["reason"] in numbers["rejected"] and r["detail"] and r["sender"] for r in letters)
    rows = front.rows(Stream.EVENTS if door == "alertmanager" else Stream.LOGS)
    assert len(rows) == BODIES // AT_ONCE == numbers["requests"], "all good traffic is stored, once"


def test_connections_that_misbehave_while_others_work(front: RunningFront) -> None:
    """Three hundred connections that hold, break or babble, and alerts between them."""
    with ExitStack() as held:
        for i in range(300):
            s = held.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=10))
            with suppress(BrokenPipeError, ConnectionResetError):
                s.sendall(MISBEHAVIOUR[i % len(MISBEHAVIOUR)])
        with socket.create_connection(("127.0.0.1", front.port), timeout=30) as s:
            statuses = pipelined(s, [request(ALERTS, good_alert(i), JSON) for i in range(50)])
        assert statuses == [200] * 50
        eventually(lambda: front.stats("http")["rejected"].get("slow_client", 0) >= 50, 10)
        assert front.stats("alertmanager")["in_flight"] == 50
    eventually(lambda: front.stats("alertmanager")["in_flight"] == 0)
    assert front.stats("http")["rejected"]["malformed_http"] >= 100
    assert len(front.rows(Stream.EVENTS)) == 50


def test_many_clients_at_once_are_all_acknowledged_and_stored(front: RunningFront) -> None:
    failed: list[int] = []

    def send(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": JSON}
        for i in range(first, first + 50):
            connection.request("POST", ALERTS, good_alert(i), headers)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                failed.append(response.status)
        connection.close()

    threads = [threading.Thread(target=send, args=(n * 50,)) for n in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    labels = {json.loads(r["labels"])["n"] for r in front.rows(Stream.EVENTS)}
    assert labels == {str(i) for i in range(800)}
