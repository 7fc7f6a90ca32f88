"""Plays a recording into the journal again: its times moved to now and stretched or squeezed by the speed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from watchkeeper.journal import recording
from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import STALE, Stream
from watchkeeper.model.signals import batch as as_batch

ENDED = struct.unpack("<d", struct.pack("<Q", STALE))[0]
TOGETHER_MS = 100  # entries this close in playing time are appended at once


class Playback:
    """One playing of a recording. `speed` 10 plays ten minutes in one; the beginning is at `start_ms`."""

    def __init__(self, path: Path, journal: Journal, speed: float, start_ms: int) -> None:
        if not 0.1 <= speed <= 1000:
            raise ValueError(f"speed {speed:g}: choose from 0.1 to 1000, 1 is as it was")
        self.header, self._entries = recording.read(path)
        self.journal, self.speed, self.start_ms = journal, speed, start_ms
        self.played = 0  # entries
        self._series: set[int] = set()

    @property
    def seconds(self) -> float:
        """How long the playing takes."""
        return (self.header.ends_ms - self.header.begins_ms) / 1000 / self.speed

    def run(self, now: Callable[[], int], sleep: Callable[[float], None]) -> Iterator[int]:
        """Append every entry at its time; yields the entries played so far. `now` gives Unix ms.
        At the end, or when it is broken off, the recorded series are marked as ended, so that nothing seems
        to have gone silent."""
        try:
            for at, group, count in self._groups():
                ahead = (at - now()) / 1000
                if ahead > 0:
                    sleep(ahead)
                self.journal.append(group)
                self.played += count
                yield self.played
        finally:
            self._end(now())

    def _groups(self) -> Iterator[tuple[int, list[tuple[Stream, pa.RecordBatch]], int]]:
        """When it is due, what is appended together, and how many entries that were."""
        group: dict[Stream, list[pa.RecordBatch]] = {}
        due = count = 0
        for entry in self._entries:
            at = self._moved(entry.at_ms)
            if count and at - due > TOGETHER_MS:
                yield due, _joined(group), count
                group, count = {}, 0
            if not count:
                due = at
            group.setdefault(entry.stream, []).append(self._shift(entry.stream, recording.batch(entry)))
            count += 1
        if count:
            yield due, _joined(group), count

    def _moved(self, at_ms: int) -> int:
        return self.start_ms + int((at_ms - self.header.begins_ms) / self.speed)

    def _shift(self, stream: Stream, rows: pa.RecordBatch) -> pa.RecordBatch:
        for column, per_ms in recording.TIMES[stream].items():
            old = rows.column(column)
            since = pc.subtract(old, self.header.begins_ms * per_ms)
            new = pc.add(
                pc.cast(pc.divide(since, self.speed), pa.int64(), safe=False), self.start_ms * per_ms
            )
            new = pc.if_else(pc.equal(old, pa.scalar(0, old.type)), old, new)  # 0 says "not known"
            rows = rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), new)
        if stream is Stream.SAMPLES:
            self._series.update(s for s in rows.column("series").to_pylist() if s is not None)
        return rows

    def _end(self, now_ms: int) -> None:
        if not self._series:
            return
        ended = [{"series": s, "time_ms": now_ms, "value": ENDED} for s in sorted(self._series)]
        self.journal.append([(Stream.SAMPLES, as_batch(Stream.SAMPLES, ended))])
        self._series.clear()


def _joined(group: dict[Stream, list[pa.RecordBatch]]) -> list[tuple[Stream, pa.RecordBatch]]:
    """One batch a stream, in the streams' order: an append costs a sync however little is in it."""
    tables = ((s, pa.Table.from_batches(group[s]).combine_chunks()) for s in Stream if s in group)
    return [(s, rows) for s, table in tables for rows in table.to_batches()]
