"""How old signals are when a door takes them, and what it took and refused in the last hour. Of a batch only its last
row is looked at, so that this costs a door next to nothing.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from watchkeeper.model.signals import Stream

RECENT_MS = 300_000  # over which ages are told
_APART_MS = 100  # between two ages that are kept, so that five minutes of them are few
_KEPT = RECENT_MS // _APART_MS
_CLOCK_SET_MS = 1_000_000_000_000  # 2001: a sender that is before this has no clock
#: reasons that say that something never got as far as being refused, and what is counted
LOST = {"kernel_drop": "datagrams", "missing_datagrams": "datagrams", "missing_flows": "flows"}
_MINUTES = 60


def happened(stream: Stream, rows: pa.RecordBatch) -> int:
    """When the last row of a batch happened, in Unix ms; 0 for streams that do not tell (an alert that is repeated
    tells when it began)."""
    if rows.num_rows == 0:
        return 0
    if stream is Stream.SAMPLES:
        return int(rows.column("time_ms")[-1].as_py())
    if stream is Stream.LOGS:
        return int(rows.column("time_ns")[-1].as_py()) // 1_000_000
    if stream is Stream.SPANS:
        end = rows.column("start_ns")[-1].as_py() + rows.column("duration_ns")[-1].as_py()
        return int(end) // 1_000_000
    return 0


class Ages:
    """Ages on arrival over the last five minutes. Any thread may use it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=_KEPT)  # when, and the age then

    def saw(self, happened_ms: int, now_ms: int) -> None:
        """Note one, unless one was noted a moment ago."""
        if happened_ms < _CLOCK_SET_MS or (self._seen and 0 <= now_ms - self._seen[-1][0] < _APART_MS):
            return
        self._seen.append((now_ms, now_ms - happened_ms))

    def saw_batches(self, entries: Iterable[tuple[Stream, pa.RecordBatch]], now_ms: int) -> None:
        """Note the last row of each batch that tells a time."""
        for stream, rows in entries:
            self.saw(happened(stream, rows), now_ms)

    def as_dict(self, now_ms: int) -> dict[str, int]:
        """count; p50_ms and p95_ms of the ages, negative ones as 0; ahead_ms: by how much a sender's clock was ahead of
        ours, at most."""
        ages = sorted(age for at, age in list(self._seen) if abs(now_ms - at) <= RECENT_MS)
        if not ages:
            return {"count": 0, "p50_ms": 0, "p95_ms": 0, "ahead_ms": 0}
        p50, p95 = (max(0, ages[int(q * (len(ages) - 1))]) for q in (0.5, 0.95))
        return {"count": len(ages), "p50_ms": p50, "p95_ms": p95, "ahead_ms": max(0, -ages[0])}


class LastHour:
    """Counts over the last sixty minutes, kept by the minute. Any thread may use it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._minutes: deque[tuple[int, Counter[str]]] = deque(maxlen=_MINUTES + 1)

    def add(self, **counts: int) -> None:
        """Count."""
        minute = int(self._monotonic() // 60)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1].update(counts)

    def as_dict(self) -> dict[str, Any]:
        """What was counted, by name."""
        since = int(self._monotonic() // 60) - _MINUTES
        found: Counter[str] = Counter()
        for minute, counts in list(self._minutes):
            if minute > since:
                found.update(dict(counts))
        return dict(found)
