"""Syslog over TCP, RFC 6587: where one message ends and the next begins. A connection counts octets (its first
byte is a digit) or ends messages with a newline, from its first message to its last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed
from watchkeeper.receivers.dead_letters import Letter

FRAME_LIMIT = 64 * 1024
_SKIPPED = 16 * 1024 * 1024  # a longer frame is no message: the count is wrong
_COUNT_DIGITS = 10
_NONE: NDArray[np.int64] = np.empty(0, np.int64)


class Pieces(NamedTuple):
    """Messages `data[starts[i]:ends[i]]`, and what was too long or cut off."""

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    letters: list[Letter]


class Splitter:
    """Cuts what one connection sends into messages. It holds on to at most one unfinished message."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._rest = b""
        self._counts: bool | None = None
        self._skip = 0  # octets of a frame that is too long
        self._skip_line = False

    @property
    def held(self) -> int:
        """Bytes of the unfinished message."""
        return len(self._rest)

    def feed(self, chunk: bytes) -> Pieces:
        """The messages that are whole now. Raises Malformed, with the reason `lost_framing`, when it cannot be
        told where the next one begins; the connection is of no more use then."""
        if self._counts is None and chunk:
            self._counts = 48 <= chunk[0] <= 57
        return self._counted(self._rest + chunk) if self._counts else self._lines(chunk)

    def finish(self) -> Pieces:
        """The last message, at the end of the connection: a line without its newline is a message, half of a
        counted frame is a letter."""
        rest, self._rest = self._rest, b""
        if not rest.strip():
            return Pieces(b"", _NONE, _NONE, [])
        if self._counts:
            letter = Letter("cut_off", "the connection ended within a frame", rest)
            return Pieces(b"", _NONE, _NONE, [letter])
        return Pieces(rest, np.zeros(1, np.int64), np.array([len(rest)], np.int64), [])

    def _lines(self, chunk: bytes) -> Pieces:
        if self._skip_line:
            newline = chunk.find(b"\n")
            if newline < 0:
                return Pieces(b"", _NONE, _NONE, [])
            chunk, self._skip_line = chunk[newline + 1 :], False
        data = self._rest + chunk
        octets = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(octets == 10)
        starts = np.concatenate(([0], ends + 1))
        tail = int(starts[-1])
        self._rest = data[tail:]
        starts = starts[:-1]
        letters: list[Letter] = []
        sizes = ends - starts
        if (long := sizes > self._limit).any():
            letters = [self._too_long(data, int(at)) for at in starts[long]]
        if len(self._rest) > self._limit:
            letters.append(self._too_long(self._rest, 0))
            self._rest, self._skip_line = b"", True
        kept = ~long & (sizes > 0)
        kept &= (sizes > 1) | (octets[starts] != 13)  # not the empty lines of those who end them with \r\n
        return Pieces(data[:tail], starts[kept], ends[kept], letters)

    def _counted(self, data: bytes) -> Pieces:
        at = min(self._skip, len(data))
        self._skip -= at
        starts: list[int] = []
        ends: list[int] = []
        letters: list[Letter] = []
        while at < len(data):
            if data[at] == 10:  # some senders count, and add a newline all the same
                at += 1
                continue
            size, begin = _count(data, at)
            if begin == 0:
                break
            if size > self._limit:
                letters.append(self._too_long(data, begin))
                at = min(begin + size, len(data))
                self._skip = begin + size - at
                continue
            if begin + size > len(data):
                break
            starts.append(begin)
            ends.append(begin + size)
            at = begin + size
        self._rest = data[at:]
        return Pieces(data[:at], np.array(starts, np.int64), np.array(ends, np.int64), letters)

    def _too_long(self, data: bytes, at: int) -> Letter:
        text = f"a message is longer than {self._limit} bytes; what is beyond is lost"
        return Letter("frame_too_long", text, data[at : at + self._limit])


def _count(data: bytes, at: int) -> tuple[int, int]:
    """The octet count at `at` and where its message begins; 0, 0 when there is only half a count."""
    space = data.find(b" ", at, at + _COUNT_DIGITS + 1)
    digits = data[at:space] if space >= 0 else data[at : at + _COUNT_DIGITS + 1]
    if space < 0 and digits.isdigit() and len(digits) <= _COUNT_DIGITS:
        return 0, 0
    if not digits.isdigit() or int(digits) > _SKIPPED:
        raise Malformed(f"not an octet count: {data[at : at + 20]!r}", reason="lost_framing")
    return int(digits), space + 1
