"""Entries as bytes: a record batch as a self-describing Arrow IPC stream with a checksum, and back.

Not a journal: it neither stores nor orders. An entry that cannot be read any more comes back as a dead letter
in its own place, so that consumers go on and somebody sees it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from watchkeeper.model.doors import Entry
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import SCHEMAS, Stream, batch

MAX_ROWS = 65_536  # of one entry
MAX_BYTES = 16 * 1024**2  # of one entry, before compression, unless a single row is larger
COMPRESS_FROM = 16 * 1024  # bytes; below, compressing costs more than the disk it saves
READ_BYTES = 64 * 1024**2  # of one read, unpacked: rows that repeat take far less where they are stored
KEPT_OF_DAMAGED = 64 * 1024  # bytes of a damaged entry that its dead letter carries

_PLAIN = pa.ipc.IpcWriteOptions(compression=None)
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


class JournalDamaged(WatchkeeperError):
    """What lies on the disk is no journal any more. A person has to move the file aside."""

    status = 503
    reason = "journal_damaged"


class Packed(NamedTuple):
    """One entry ready to be stored."""

    stream: str
    rows: int
    checksum: int  # CRC-32 of the payload
    payload: pa.Buffer


def check(batches: Iterable[tuple[Stream, pa.RecordBatch]]) -> None:
    """Raises ValueError when a batch does not have its stream's schema: a mistake of the caller's."""
    for stream, rows in batches:
        if not rows.schema.equals(SCHEMAS[stream]):
            raise ValueError(f"rows of {stream} have another schema than the stream: {rows.schema}")


def pack(batches: Sequence[tuple[Stream, pa.RecordBatch]]) -> list[Packed]:
    """Batches as entries, in order; large ones in several, empty ones left out.
    Raises ValueError when a batch does not have its stream's schema."""
    check(batches)
    return [_pack_one(stream, piece) for stream, rows in batches for piece in slices(rows)]


def slices(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in pieces, each of at most MAX_ROWS rows and about MAX_BYTES; none when it is empty."""
    size = pa.ipc.get_record_batch_size(rows)  # as `nbytes`, and ten times as fast
    step = min(MAX_ROWS, max(1, rows.num_rows * MAX_BYTES // size))
    for start in range(0, rows.num_rows, step):
        yield rows.slice(start, step)


def _pack_one(stream: Stream, rows: pa.RecordBatch) -> Packed:
    sink = pa.BufferOutputStream()
    options = _LZ4 if pa.ipc.get_record_batch_size(rows) >= COMPRESS_FROM else _PLAIN
    with pa.ipc.new_stream(sink, rows.schema, options=options) as writer:
        writer.write_batch(rows)
    payload = sink.getvalue()
    return Packed(stream.value, rows.num_rows, zlib.crc32(payload), payload)


def unpack(now_ms: int, offset: int, stream: str, rows: int, checksum: int, payload: bytes) -> Entry:
    """The entry as it was appended; or, when it cannot be had, a dead letter of `now_ms` at its offset."""
    if zlib.crc32(payload) != checksum:
        return dead_letter(offset, stream, rows, "its checksum differs", payload, now_ms)
    try:
        known = Stream(stream)
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            return Entry(offset, known, reader.read_next_batch())
    except (ValueError, OSError, StopIteration, pa.ArrowException) as error:
        return dead_letter(offset, stream, rows, str(error) or "it holds no rows", payload, now_ms)


def dead_letter(offset: int, stream: str, rows: int, why: str, payload: bytes, now_ms: int) -> Entry:
    """What stands in for an entry that cannot be read."""
    row = {
        "time_ms": now_ms,
        "door": "journal",
        "sender": "",
        "reason": "damaged_entry",
        "detail": f"journal entry {offset} ({rows} rows of {stream or 'an unknown stream'}) is lost: {why}",
        "payload": payload[:KEPT_OF_DAMAGED],
    }
    return Entry(offset, Stream.DEAD_LETTERS, batch(Stream.DEAD_LETTERS, [row]))
