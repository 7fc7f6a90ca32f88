"""Absence: how often each series comes by its own habit, and which of them are overdue.

Times are those of arrival. What is irregular is never overdue; what nobody could have received (we were not
running) is not held against anybody.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

REGULAR_ARRIVALS = 20
REGULAR = 4.0  # largest gap of late, in mean gaps, of a series that can be missed
MISSED = 6.0  # mean gaps
LEAST_MS = 180_000.0
_SHARE, _FORGET = 0.05, 0.995
_FIELDS = ("last", "first", "mean", "longest", "heard", "count")


class Absence:
    """Arrivals of many series; a series is a slot, 0 to n - 1. Times in Unix milliseconds.

    >>> a = Absence()
    >>> a.grow(2)
    >>> for minute in range(30):
    ...     a.arrived(np.array([0, 1] if minute < 25 else [0]), minute * 60_000)
    >>> a.overdue(30 * 60_000).tolist(), a.overdue(33 * 60_000).tolist()
    ([], [1])
    """

    def __init__(self) -> None:
        self.last = np.zeros(0)
        self.first = np.zeros(0)
        self.mean = np.zeros(0)
        self.longest = np.zeros(0)
        self.heard = np.zeros(0)  # as last, but never moved by a pause
        self.count = np.zeros(0, np.int32)

    def grow(self, n: int) -> None:
        """Make room for n series in all."""
        more = n - len(self.last)
        for name in _FIELDS:
            old = getattr(self, name)
            setattr(self, name, np.concatenate((old, np.zeros(more, old.dtype))))

    def arrived(self, slots: NDArray[np.int64], now_ms: int) -> None:
        """These series (each once) have sent something now."""
        gap = now_ms - self.last[slots]
        known = (self.count[slots] > 0) & (gap > 0)
        s, g = slots[known], gap[known]
        rate = np.maximum(_SHARE, 1.0 / self.count[s])
        bounded = np.where(self.count[s] > REGULAR_ARRIVALS, np.minimum(g, 10.0 * self.mean[s]), g)
        self.mean[s] += rate * (bounded - self.mean[s])
        self.longest[s] = np.maximum(self.longest[s] * _FORGET, g)
        self.count[s] += 1
        new = slots[self.count[slots] == 0]
        self.first[new], self.count[new] = now_ms, 1
        self.last[slots] = now_ms
        self.heard[slots] = now_ms

    def regular(self) -> NDArray[np.bool_]:
        """Which series come regularly enough to be missed."""
        return np.asarray((self.count >= REGULAR_ARRIVALS) & (self.longest <= REGULAR * self.mean))

    def due_ms(self) -> NDArray[np.float64]:
        """How long after its last arrival each series is missed."""
        return np.maximum(LEAST_MS, np.maximum(MISSED * self.mean, 2.0 * self.longest))

    def overdue(self, now_ms: int) -> NDArray[np.int64]:
        """Slots of the regular series that should have come and have not."""
        return np.flatnonzero(self.regular() & (now_ms - self.last > self.due_ms()))

    def give_up(self, now_ms: int, after_ms: float) -> None:
        """Expect no more of series that have been silent for so long."""
        self.count[(self.count > 0) & (now_ms - self.last > after_ms)] = 0

    def pause(self, milliseconds: float) -> None:
        """Nobody could be heard for so long: it does not count as silence."""
        self.last[self.count > 0] += milliseconds

    def set_back(self, milliseconds: float) -> None:
        """The clock was set back by so much: everything is as long ago as it was."""
        for times in (self.last, self.first, self.heard):
            times[self.count > 0] -= milliseconds

    def excuse(self, slots: NDArray[np.int64], now_ms: int) -> None:
        """Nothing was expected of these until now."""
        known = slots[self.count[slots] > 0]
        self.last[known] = now_ms

    def state(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {name: getattr(self, name) for name in _FIELDS}

    def load(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        for name, values in state.items():
            setattr(self, name, values)
