"""Groups as messages: entries that were appended together as bytes, cut into parts that a server takes, and
offsets made from a message's sequence number. No network here.

A group's offset range belongs to the message that completes it: the last of its entries has the last offset that is
reserved for that message, so that it needs no look into the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from watchkeeper.journal.entries import Packed, dead_letter, unpack
from watchkeeper.model.doors import Entry
from watchkeeper.model.errors import TooLarge

# Offsets reserved for each message, and so the most entries of one group. They hold 4 GiB: an entry is only cut off
# once it has 65,536 rows or 16 MiB.
PER_GROUP = 256
EARLIER_PER_GROUP = 1 << 16  # in a stream that an earlier version made; its offsets have been given out
MAX_PARTS = 256  # messages of one group


class Frame(msgspec.Struct, array_like=True):
    """One entry within a group."""

    stream: str
    rows: int
    checksum: int
    payload: bytes


_decoder = msgspec.msgpack.Decoder(list[Frame])


class Offsets(NamedTuple):
    """The offsets of a stream that reserves `per_group` of them for each message."""

    per_group: int

    def last(self, sequence: int) -> int:
        """The last offset of the group that this message completes; 0 for no message."""
        return (sequence + 1) * self.per_group - 1 if sequence else 0

    def first_to_read(self, after: int) -> int:
        """Sequence of the first message that may hold offsets past this one."""
        return max(1, (after + 1) // self.per_group)

    def first_to_keep(self, passed: int) -> int:
        """Sequence of the first message that is needed when everything up to this offset has been passed."""
        sequence, within = divmod(passed + 1, self.per_group)
        # In the midst of a group, its parts are needed, which come right before the message that completes it.
        return sequence if within == 0 else max(1, sequence - MAX_PARTS)


def split(entries: Sequence[Packed], part_bytes: int) -> list[bytes]:
    """The group's bytes in parts of at most `part_bytes`. Raises TooLarge past MAX_PARTS or PER_GROUP."""
    body = msgspec.msgpack.encode([(e.stream, e.rows, e.checksum, memoryview(e.payload)) for e in entries])
    parts = [body[start : start + part_bytes] for start in range(0, len(body), part_bytes)]
    if len(parts) > MAX_PARTS or len(entries) > PER_GROUP:
        raise TooLarge(
            f"{len(body)} bytes in {len(entries)} entries at once; the journal takes {MAX_PARTS * part_bytes} "
            f"bytes in {PER_GROUP} entries"
        )
    return parts


def entries_of(last: int, body: bytes | None, now_ms: int) -> Iterator[tuple[int, Entry]]:
    """The entries of the group that ends at offset `last`, each with its rows; a dead letter in place of
    what cannot be read. None for the body: a part of it is gone."""
    if body is None:
        yield 1, dead_letter(last, "", 0, "a part of its group is gone", b"", now_ms)
        return
    try:
        frames = _decoder.decode(body)
    except msgspec.DecodeError as error:
        yield 1, dead_letter(last, "", 0, str(error), body, now_ms)
        return
    for offset, f in enumerate(frames, last - len(frames) + 1):
        yield f.rows, unpack(now_ms, offset, f.stream, f.rows, f.checksum, f.payload)
