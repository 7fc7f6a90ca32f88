"""Stuck: a series that changed with nearly every point shows one value, for much longer than it ever did.

A sensor that hangs, an exporter that repeats its last answer. What is often the same by nature (a state, a count of rare
things, an idle machine's zeros) is never stuck: by its own habit it may stand still.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled

LIVELY = 0.9  # share of its points that differ from the one before
KNOWN_POINTS = 500  # to know that
LEAST_SECONDS, LEAST_POINTS = 1800.0, 30
LONGER = 10.0  # times the longest that it stood still before
MEMORY, FORGET = 0.002, 0.9999

STATE = np.dtype(
    [
        ("value", "f8"),
        ("since", "f8"),
        ("last", "f8"),
        ("longest", "f8"),
        ("lively", "f8"),
        ("run", "i4"),
        ("seen", "i4"),
    ]
)
"""State of one series: 48 bytes."""


class Stuck:
    """Many series; a series is a slot, 0 to n - 1.

    >>> stuck = Stuck()
    >>> minutes = np.arange(700)
    >>> values = np.where(minutes < 640, np.random.default_rng(1).standard_normal(700), 0.25)
    >>> stuck.update(np.zeros(700, int), minutes * 60_000, values)
    >>> stuck.standing(np.zeros(1, bool)).tolist()
    [0]
    """

    def __init__(self) -> None:
        self.series = np.zeros(0, STATE)

    def update(
        self, slots: NDArray[np.int64], times_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Take points in (slot, Unix milliseconds, value), in order; NaN is a gap."""
        if len(slots) and (more := int(slots.max()) + 1 - len(self.series)) > 0:
            self.series = np.concatenate((self.series, np.zeros(more + len(self.series) // 4, STATE)))
        _update(
            self.series,
            np.ascontiguousarray(slots, np.int64),
            np.ascontiguousarray(times_ms, np.int64),
            np.ascontiguousarray(values, np.float64),
        )

    def standing(self, not_these: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Slots that are stuck, but for those of this mask."""
        s = self.series[: len(not_these)]
        seconds = s["last"] - s["since"]
        long = (seconds >= np.maximum(LEAST_SECONDS, LONGER * s["longest"])) & (s["run"] >= LEAST_POINTS)
        lively = (s["lively"] >= LIVELY) & (s["seen"] - s["run"] >= KNOWN_POINTS)
        return np.flatnonzero(long & lively & (s["value"] != 0.0) & ~not_these[: len(s)])


@compiled
def _update(series: Any, slots: Any, times: Any, values: Any) -> None:
    for i in range(len(slots)):
        s = series[slots[i]]
        x, seconds = values[i], times[i] / 1000.0
        if not np.isfinite(x):
            continue
        s.seen = min(s.seen + 1, 1_000_000_000)
        if s.seen > 1 and x == s.value:
            s.run += 1
            s.last = max(s.last, seconds)
            if s.run < LEAST_POINTS:  # a long standing still is no habit
                s.lively -= max(MEMORY, 1.0 / s.seen) * s.lively
            continue
        if s.run > 0 and s.run < LEAST_POINTS:
            s.longest = max(s.longest, s.last - s.since)
        s.lively += max(MEMORY, 1.0 / s.seen) * (1.0 - s.lively)
        s.longest *= FORGET
        s.value, s.since, s.last, s.run = x, seconds, seconds, 0
