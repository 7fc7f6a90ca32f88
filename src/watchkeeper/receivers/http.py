"""The table of HTTP doors: what a route takes, how it decodes, and how it answers in its own words.

A new door is one file with a decoder and one row that names it. No network here: the front serves these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import msgspec
import pyarrow as pa

from watchkeeper.model.doors import Door, IntakeKey
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import Letter

Entries = list[tuple[Stream, pa.RecordBatch]]


@dataclass(slots=True)
class Taken:
    """What a body became: entries for the journal, and how many of its rows were refused and why."""

    entries: Entries = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)  # reason → rows
    message: str = ""  # to the sender, about what was refused
    told: str = ""  # to the sender, about what was taken: the name it was given
    letters: list[Letter] = field(default_factory=list)
    after: Callable[[], None] | None = None  # to do once all of it is on disk; must not wait

    @property
    def rows(self) -> int:
        """Rows taken; what only declares series is not counted."""
        return sum(b.num_rows for stream, b in self.entries if stream is not Stream.SERIES)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, body and its type, and the headers that are the door's own."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Decode = Callable[[bytes, str, int], Taken]
"""(body, content type, now in Unix ms) → Taken. Raises Malformed, UnsupportedMedia, TooLarge, RateLimited."""


class Group(Protocol):
    """Where entries go: the journal's group commit."""

    async def submit(self, entries: Sequence[tuple[Stream, pa.RecordBatch]]) -> object:
        """Return once all is synced. Raises JournalFull, DiskFull."""
        ...


def nothing(taken: Taken, content_type: str) -> Answer:  # noqa: ARG001
    """The success of most protocols: 204 and no body."""
    return Answer(204)


def problem(error: WatchkeeperError, content_type: str = "") -> Answer:  # noqa: ARG001
    """An error as RFC 9457 problem details."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "reason": error.reason,
    }
    return Answer(error.status, msgspec.json.encode(document), "application/problem+json")


@dataclass(frozen=True, slots=True)
class HttpDoor:
    """One route into the platform.

    `content_types` are those the protocol knows, without parameters; `required` says that one must be given.
    `accept` answers what was taken, also in part; `refuse` an error, each told the request's content type.
    Senders that can set no header may put their key behind the path (`keyed`: `/intake/zabbix/<key>`), or `key_in`
    finds it in the body, which is then read, up to `most` bytes, before it is known who sends. `decode_for` takes the
    key as well, for doors that each key has a way of its own through; `decode_headers` the request's headers, for
    protocols that put a part of the message there.
    """

    name: str
    method: str
    path: str
    content_types: tuple[str, ...]
    decode: Decode
    accept: Callable[[Taken, str], Answer] = nothing
    refuse: Callable[[WatchkeeperError, str], Answer] = problem
    keyed: bool = False
    key_in: Callable[[bytes], str] | None = None
    most: int = 0  # bytes of a body, 0 for what the front takes
    decode_for: Callable[[IntakeKey, bytes, str, int], Taken] | None = None
    decode_headers: Callable[[Mapping[str, str], bytes, str, int], Taken] | None = None
    encodings: tuple[str, ...] = ("identity", "gzip", "deflate", "zstd", "snappy")


def whole(door: Door) -> Decode:
    """The decode of a door that takes a body whole or not at all."""

    def decode(body: bytes, content_type: str, now_ms: int) -> Taken:
        return Taken(list(door.decode(body, content_type, now_ms)))

    return decode
