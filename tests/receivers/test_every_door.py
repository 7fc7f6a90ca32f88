"""What every HTTP door of the platform bears: it is found in the platform's own table, so a new one is tested by itself.
Doors with ports of their own: tests/system/test_every_door.py."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator

import cramjam
import pytest

from tests.fuzz.seeds import split_http
from tests.fuzz.targets import good_of, over_http
from tests.receivers.front_harness import RunningFront
from tests.support import eventually
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import webhooks
from watchkeeper.receivers.http import HttpDoor

DOORS = over_http()
KEY = "mapped"  # has a mapping too, for the door that needs one
MIB = 1024 * 1024
DEEP = 200_000

BOMBS: dict[str, tuple[bytes, str]] = {
    "not of this protocol": (b"\xff\xfe{", ""),
    "empty gzip": (b"\x1f\x8b", "gzip"),
    "gzip of much": (gzip.compress(b" " * (64 * MIB)), "gzip"),
    "deep lists": (b"[" * DEEP, ""),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, ""),
    "deep messages": (b"\x0a\x7f" * DEEP, ""),
    "larger than a body may be": (b'"' + b"x" * (17 * MIB) + b'"', ""),
    "an unknown encoding": (b"{}", "br"),
    "half a character": (b'{"a": "\xe2\x82"}', ""),
    "half an escape": (rb'[{"labels": {"alertname": "\ud800"}}]', ""),
    "a number without end": (b'{"a": ' + b"9" * 100_000 + b"}", ""),
}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    made = RunningFront(tmp_path_factory.mktemp("front"), doors=webhooks.doors(), remote_write=True)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    """Its journal has no room for anything."""
    folder = tmp_path_factory.mktemp("full")
    made = RunningFront(folder, doors=webhooks.doors(), remote_write=True, max_bytes=100_000)
    for size in (20_000, 2_000, 200):
        body = json.dumps([{"labels": {"alertname": "x" * size}}]).encode()
        while made.call("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"}).status == 200:
            pass
    for door in DOORS:  # some have less to say
        while good(made, door)[0] < 300:
            pass
    yield made
    made.stop()


def send(
    front: RunningFront, door: HttpDoor, body: bytes, encoding: str = "", kind: str = ""
) -> tuple[int, str]:
    """The status, and when to try again."""
    headers, data = split_http(body) if door.decode_headers else ({}, body)
    headers = {"Content-Type": kind or door.content_types[0], **headers}
    headers |= {"Content-Encoding": encoding} if encoding else {}
    reply = front.call("POST", door.path, data, headers, key=KEY)
    return reply.status, reply.headers.get("Retry-After", "")


def good(front: RunningFront, door: HttpDoor) -> tuple[int, str]:
    """Send what was captured of a real sender."""
    kind, body = good_of(door)
    if door.encodings == ("snappy",):
        return send(front, door, bytes(cramjam.snappy.compress_raw(body)), "snappy", kind)
    return send(front, door, body, kind=kind)


def stored(front: RunningFront) -> int:
    return sum(len(front.rows(stream)) for stream in Stream if stream is not Stream.DEAD_LETTERS)


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.path)
class TestEveryDoor:
    def test_what_is_good_is_taken(self, front: RunningFront, door: HttpDoor) -> None:
        before = stored(front)
        assert 200 <= good(front, door)[0] < 300
        assert stored(front) > before

    def test_bombs_and_rubbish_are_told_so_and_good_ones_taken_after_them(
        self, front: RunningFront, door: HttpDoor
    ) -> None:
        for what, (body, encoding) in BOMBS.items():
            status, _ = send(front, door, body, encoding)
            assert 400 <= status < 500, (what, status)
        many = json.dumps({f"label{n}": "x" * 20 for n in range(100_000)}).encode()
        assert send(front, door, many)[0] < 500
        assert 200 <= good(front, door)[0] < 300
        assert front.stats(door.name)["in_flight"] == 0

    def test_a_connection_that_breaks_in_the_middle_leaves_nothing(
        self, front: RunningFront, door: HttpDoor
    ) -> None:
        kind, body = good_of(door)
        before = stored(front)
        head = (
            f"POST {door.path} HTTP/1.1\r\nHost: x\r\nX-Watchkeeper-Key: {KEY}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", front.port), timeout=10) as s:
            s.sendall(head.encode() + body[: len(body) // 2])
        eventually(lambda: front.stats(door.name)["in_flight"] == 0)
        assert stored(front) == before

    def test_a_full_journal_is_told_and_nothing_acknowledged(
        self, full: RunningFront, door: HttpDoor
    ) -> None:
        before = stored(full)
        status, again = good(full, door)
        assert status in (429, 503)
        assert int(again) >= 1
        assert stored(full) == before
