"""What inputs are made from: the captures of real senders, and every input that has once found a fault."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import cramjam

from tests.receivers.netflow_datagrams import Told, a_set, ipfix, record, template, v5, v9
from tests.receivers.remote_write_messages import request, request_2
from watchkeeper.receivers.http import HttpDoor
from watchkeeper.receivers.remote_write import SECOND

CAPTURES = Path(__file__).parent.parent / "captures"
FOUND = CAPTURES / "fuzz"
BETWEEN = b"\xfe\xfd--\xfd\xfe"  # between two datagrams of one input
#: for the mapping of tests/receivers/front_harness.py
_CUSTOM = {
    "site": "north",
    "events": [
        {
            "rule": {"title": "Disk full"},
            "level": "high",
            "id": "7",
            "value": 93.5,
            "server": {"name": "db-1"},
            "owner": "storage",
            "since": "2026-11-22T21:58:41Z",
            "link": "http://x/7",
        }
    ],
}
_FLOW = Told("10.0.0.1", 40000, "10.0.0.2", 443)


def files(folder: str, ending: str) -> tuple[bytes, ...]:
    """The captures in a folder that end so."""
    found = sorted((CAPTURES / folder).glob(f"*{ending}")) if (CAPTURES / folder).is_dir() else []
    return tuple(p.read_bytes() for p in found if not p.name.endswith(".expected.json"))


def lines(folder: str) -> tuple[bytes, ...]:
    """The lines of the captures in a folder."""
    return tuple(
        dict.fromkeys(line for capture in files(folder, "") for line in capture.splitlines() if line)
    )


def of_door(door: HttpDoor, content_type: str) -> tuple[bytes, ...]:
    """Captures of a door without their compression, of this content type as far as one sees."""
    if door.name == "custom":
        return (json.dumps(_CUSTOM).encode(), b"{}")
    made = files(door.name, "")
    if door.encodings == ("snappy",):
        made = tuple(bytes(cramjam.snappy.decompress_raw(c)) for c in made)
        written = request_2 if content_type.endswith(SECOND) else request
        fresh = written([({"__name__": "up", "job": "a"}, [(1.0, int(time.time() * 1000))])])
        return (fresh.SerializeToString(), *(() if written is request_2 else made))
    text = (
        content_type.rpartition("/")[2] in ("json", "x-www-form-urlencoded", "plain")
        or "json" in content_type
    )
    return tuple(c for c in made if text == _is_text(c)) or made or (b"{}",)


def _is_text(data: bytes) -> bool:
    return data[:200].lstrip()[:1] in (b"{", b"[") or (data[:4].isascii() and data[:4].isalpha())


def split_http(data: bytes) -> tuple[dict[str, str], bytes]:
    """A message of HTTP: lines of headers, an empty one, and the body."""
    head, found, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    if not found:
        return {}, data
    lines = (line.partition(":") for line in head.decode("latin-1").split("\n"))
    return {name.strip(): value.strip() for name, _, value in lines}, body


def payloads() -> tuple[bytes, ...]:
    """What the captures of MQTT carry."""
    return tuple(str(json.loads(c).get("payload", "")).encode() for c in files("mqtt", ".json"))


@cache
def flows() -> tuple[bytes, ...]:
    """Datagrams of the three versions; a template, and then its data."""
    data = a_set(256, record(_FLOW))
    return (
        v5(_FLOW, _FLOW),
        v9(a_set(0, template(256)), data),
        BETWEEN.join([v9(a_set(0, template(256))), v9(data)]),
        ipfix(a_set(2, template(256)), data),
        BETWEEN.join(
            [ipfix(a_set(2, template(256, [(82, 0xFFFF), (8, 4)]))), ipfix(a_set(256, b"\4eth0" + b"\1" * 4))]
        ),
    )


def packed(encoding: str) -> tuple[bytes, ...]:
    """A text, a larger one, and nothing, in this encoding."""
    return tuple(_pack(encoding, text) for text in (b"[]", b"ab" * 40_000, b""))


def _pack(encoding: str, text: bytes) -> bytes:
    match encoding:
        case "gzip":
            return bytes(cramjam.gzip.compress(text))
        case "deflate":
            return zlib.compress(text)
        case "zstd":
            return bytes(cramjam.zstd.compress(text))
    return bytes(cramjam.snappy.compress_raw(text))


def found(name: str) -> Iterable[Path]:
    """Inputs that once found a fault in this target."""
    return sorted(FOUND.glob(f"{name}.*"))
