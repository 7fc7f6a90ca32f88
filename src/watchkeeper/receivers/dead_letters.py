"""What could not be parsed, as rows for the journal: so much a second and no more of one than fits, so that a
flood of rubbish fills no disk. What is not kept is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

from watchkeeper.model.signals import Stream, batch
from watchkeeper.receivers.door_stats import DoorCounters

BURST_SECONDS = 10.0
_DETAIL = 2000  # characters


class Letter(NamedTuple):
    """What could not be parsed: our word for why, a sentence, and the bytes."""

    reason: str
    detail: str
    payload: bytes


class DeadLetters:
    """Decides which letters are kept. One for all doors of a process: the bound is the disk's."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        per_second: float = 20.0,
        letter_bytes: int = 64 * 1024,
    ) -> None:
        self._monotonic = monotonic
        self._rate = per_second
        self._full = per_second * BURST_SECONDS
        self._left, self._at = self._full, monotonic()
        self._bytes = letter_bytes

    def rows(
        self, door: DoorCounters, sender: str, letters: list[Letter], now_ms: int
    ) -> list[tuple[Stream, pa.RecordBatch]]:
        """The entry with those of `letters` that may be kept now, or none; counts both sorts at the door."""
        now = self._monotonic()
        self._left = min(self._full, self._left + (now - self._at) * self._rate)
        self._at = now
        keep = letters[: int(self._left)]
        self._left -= len(keep)
        door.letters_kept += len(keep)
        door.letters_dropped += len(letters) - len(keep)
        if not keep:
            return []
        rows: list[dict[str, object]] = [
            {
                "time_ms": now_ms,
                "door": door.door,
                "sender": sender,
                "reason": letter.reason,
                "detail": letter.detail[:_DETAIL].encode("utf-8", "replace").decode(),
                "payload": letter.payload[: self._bytes],
            }
            for letter in keep
        ]
        return [(Stream.DEAD_LETTERS, batch(Stream.DEAD_LETTERS, rows))]
