"""Rows that say which append they came from, and how to open a test's journal. Programs import this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from watchkeeper.journal import CONSUMERS, open_journal
from watchkeeper.model.doors import Entry, Journal
from watchkeeper.model.signals import SCHEMAS, Stream

Batches = list[tuple[Stream, pa.RecordBatch]]


@dataclass(frozen=True)
class Place:
    """What opens the same journal again, in this or another process."""

    url: str
    data: Path
    max_bytes: int = 2 * 1024**3

    def open(self, consumers: tuple[str, ...] = CONSUMERS) -> Journal:
        """Open it once more."""
        return open_journal(self.url, self.data, consumers=consumers, max_bytes=self.max_bytes)


def samples(number: int, rows: int = 3) -> tuple[Stream, pa.RecordBatch]:
    """Samples of series `number`, their times 0, 1, 2 …; the values are random, so that they fill space."""
    columns = [
        pa.array(np.full(rows, number, np.uint64)),
        pa.array(np.arange(rows)),
        pa.array(np.random.default_rng().random(rows)),
    ]
    return Stream.SAMPLES, pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES])


def letters(number: int, rows: int = 1) -> tuple[Stream, pa.RecordBatch]:
    """Dead letters received at `number`."""
    row = {
        "time_ms": number,
        "door": "test",
        "sender": "",
        "reason": "",
        "detail": "ü\n",
        "payload": b"\x00\xff",
    }
    return Stream.DEAD_LETTERS, pa.RecordBatch.from_pylist([row] * rows, schema=SCHEMAS[Stream.DEAD_LETTERS])


def numbers(entries: Sequence[Entry]) -> list[int]:
    """The number of each entry made by `samples` or `letters`."""
    return [e.batch.column("series" if e.stream == Stream.SAMPLES else "time_ms")[0].as_py() for e in entries]


def everything(journal: Journal, after: int = 0, max_rows: int = 65_536) -> list[Entry]:
    """All entries past an offset, read as a consumer reads."""
    entries: list[Entry] = []
    while found := journal.read(after, max_rows=max_rows):
        entries += found
        after = found[-1].offset
    return entries
