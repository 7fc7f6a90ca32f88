"""A recording: a stretch of the journal in a file, to be played again later, faster, or elsewhere.

The file is a gzip stream of length-prefixed MessagePack: a Header, then one Recorded an entry, in order of time.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa

from watchkeeper.model.errors import Malformed
from watchkeeper.model.signals import Stream

_T = TypeVar("_T")
VERSION = 1
LARGEST = 64 * 1024 * 1024  # bytes of one entry
#: time columns of every stream, with what one millisecond is in them
TIMES = {
    Stream.DISCOVERIES: {"time_ms": 1},
    Stream.SERIES: {},
    Stream.SAMPLES: {"time_ms": 1},
    Stream.LOGS: {"time_ns": 1_000_000, "received_ms": 1},
    Stream.SPANS: {"start_ns": 1_000_000},
    Stream.EVENTS: {"starts_ms": 1, "ends_ms": 1, "received_ms": 1},
    Stream.ACTS: {"time_ms": 1},
    Stream.DEAD_LETTERS: {"time_ms": 1},
}


class Header(msgspec.Struct, frozen=True):
    """What the recording shows, and the span of time it covers (Unix ms). `steady_ms` is how much of the
    beginning is ordinary running, from which detectors learn what is normal."""

    version: int
    title: str
    description: str
    begins_ms: int
    ends_ms: int
    steady_ms: int
    entries: int


class Recorded(msgspec.Struct, frozen=True):
    """One entry: when it was appended (Unix ms), its stream, and its rows as an Arrow IPC stream."""

    at_ms: int
    stream: Stream
    rows: bytes


def write(path: Path, header: Header, entries: Iterator[Recorded]) -> None:
    """Write a recording. Raises OSError."""
    with gzip.open(path, "wb", compresslevel=9) as f:
        for part in (header, *entries):
            data = msgspec.msgpack.encode(part)
            f.write(len(data).to_bytes(4, "big") + data)


def read(path: Path) -> tuple[Header, Iterator[Recorded]]:
    """The header and the entries one after the other. Raises Malformed when it is not a recording, OSError."""
    file = gzip.open(path, "rb")  # noqa: SIM115  (closed by the iterator)
    try:
        header = _decode(_frame(file), Header)
    except BaseException:
        file.close()
        raise
    if header.version != VERSION:
        file.close()
        raise Malformed(f"{path} is a recording of version {header.version}; this program reads {VERSION}")
    return header, _entries(file)


def rows(batch: pa.RecordBatch) -> bytes:
    """Rows as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def batch(recorded: Recorded) -> pa.RecordBatch:
    """The rows of an entry. Raises Malformed."""
    try:
        table = pa.ipc.open_stream(recorded.rows).read_all()
        return table.combine_chunks().to_batches()[0]
    except (pa.ArrowInvalid, IndexError) as error:
        raise Malformed(f"an entry of the recording cannot be read: {error}") from error


def _entries(file: gzip.GzipFile) -> Iterator[Recorded]:
    with file:
        while data := _frame(file):
            yield _decode(data, Recorded)


def _frame(file: gzip.GzipFile) -> bytes:
    try:
        size = int.from_bytes(file.read(4), "big")
        if size > LARGEST:
            raise Malformed("not a recording of Watchkeeper: an entry is too large")
        data = file.read(size)
    except (gzip.BadGzipFile, EOFError) as error:
        raise Malformed(f"not a recording of Watchkeeper, or cut short: {error}") from error
    if len(data) != size:
        raise Malformed("the recording is cut short")
    return data


def _decode(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Malformed(f"not a recording of Watchkeeper: {error}") from error
