"""What was polled, on its way to the journal: collected for a second, so that a thousand answers are one entry. Nobody
waits for it; events are kept until the journal has them, samples that it refuses are counted and gone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import SCHEMAS, STALE, Stream, batch

Batches = Sequence[tuple[Stream, pa.RecordBatch]]
MOST_ROWS = 2_000_000  # samples that may wait
_log = logging.getLogger(__name__)


class SeriesIds(Protocol):
    """The table of known series."""

    def lookup(self, name: str, labels: Mapping[str, str], kind: str, unit: str, door: str) -> int:
        """The id; declares what is new. Raises TooManySeries, Malformed."""
        ...

    def touch(self, ids: Iterable[int]) -> list[int]:
        """Say that these were seen; those that are not known any more."""
        ...

    def declaring(self) -> AbstractContextManager[list[tuple[Stream, pa.RecordBatch]]]:
        """Entries to submit first."""
        ...


class DoorCounts(Protocol):
    """What a door counts."""

    troubles: dict[str, str]

    def accept(self, rows: int, size: int, now_ms: int, requests: int = 1) -> None:
        """Count what was taken and synced."""

    def reject(self, reason: str, count: int = 1) -> None:
        """Count what was refused."""


class Delivery:
    """`doors` by name. For one event loop."""

    def __init__(
        self,
        series: SeriesIds,
        submit: Callable[[Batches], Awaitable[int]],
        doors: Mapping[str, DoorCounts],
    ) -> None:
        self._series, self._submit, self.doors = series, submit, doors
        self._ids: list[Sequence[int]] = []
        self._times: list[Sequence[int]] = []
        self._values: list[Sequence[float] | NDArray[np.float64]] = []
        self._rows: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._events: list[dict[str, object]] = []

    @property
    def tells(self) -> bool:
        """Whether events wait."""
        return bool(self._events)

    def samples(
        self, door: str, ids: Sequence[int], times_ms: Sequence[int], values: Sequence[float], size: int
    ) -> None:
        """Take in the samples of one answer of `size` bytes."""
        if sum(self._rows.values()) + len(ids) > MOST_ROWS:
            self.doors[door].reject("journal_behind", len(ids))
            return
        self._ids.append(ids)
        self._times.append(times_ms)
        self._values.append(values)
        self._rows[door] += len(ids)
        self._requests[door] += 1
        self._bytes[door] += size

    def ended(self, door: str, ids: Sequence[int], time_ms: int) -> None:
        """Say that these series have ended."""
        self._ids.append(ids)
        self._times.append([time_ms] * len(ids))
        self._values.append(np.full(len(ids), STALE, np.uint64).view(np.float64))
        self._rows[door] += len(ids)

    def events(self, rows: Iterable[dict[str, object]]) -> None:
        """Take in rows of EVENTS."""
        self._events += rows

    async def flush(self, now_ms: int) -> bool:
        """Hand over what has come; whether the journal took all of it."""
        if not self._ids and not self._events:
            return True
        samples, rows, requests, sizes = self._taken()
        events = list(self._events)
        try:
            with self._series.declaring() as entries:
                if samples is not None:
                    entries = [*entries, (Stream.SAMPLES, samples)]
                if events:
                    entries = [*entries, (Stream.EVENTS, batch(Stream.EVENTS, events))]
                await self._submit(entries)
        except WatchkeeperError as error:
            for door, count in rows.items():
                self.doors[door].reject(error.reason, count)
            _log.warning("the journal took nothing of what was polled: %s", error)
            return False
        del self._events[: len(events)]
        for door, count in rows.items():
            self.doors[door].accept(count, sizes[door], now_ms, requests[door])
        return True

    def _taken(self) -> tuple[pa.RecordBatch | None, Counter[str], Counter[str], Counter[str]]:
        found = None
        if self._ids:
            ids = np.concatenate([np.array(x, np.uint64) for x in self._ids])
            times = np.concatenate([np.array(x, np.int64) for x in self._times])
            values = np.concatenate([np.array(x, np.float64) for x in self._values])
            there = ~np.isnan(values) | (values.view(np.uint64) == STALE)  # no value is no row
            columns = [pa.array(column[there]) for column in (ids, times, values)]
            found = pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES])
        counted = self._rows, self._requests, self._bytes
        self._ids, self._times, self._values = [], [], []
        self._rows, self._requests, self._bytes = Counter(), Counter(), Counter()
        return found, *counted
