"""When each target is next: spread over the interval by the hash of its key, so that they never come all at once, and
the same after a restart. Pure; times are seconds of a monotonic clock, which nobody can set."""

from __future__ import annotations

import heapq
from hashlib import blake2b

SOON = 10.0  # seconds within which a new target is asked for the first time


class Schedule:
    """Keys and when they are due. Slots that have passed are left out and not made up for."""

    def __init__(self) -> None:
        self._intervals: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._intervals)

    def put(self, key: str, interval: float, now: float) -> None:
        """Begin with this key soon, or go on in another interval."""
        if self._intervals.get(key) == interval:
            return
        self._intervals[key] = interval
        self._set(key, now + _fraction(key) * min(interval, SOON))

    def drop(self, key: str) -> None:
        """Ask no more."""
        self._intervals.pop(key, None)
        self._due.pop(key, None)

    def due(self, now: float) -> list[str]:
        """The keys whose time has come, each set to its next slot, at least half an interval away.

        >>> schedule = Schedule()
        >>> schedule.put("a", 15.0, 100.0)
        >>> schedule.due(110.0), schedule.due(110.0), schedule.due(140.0)
        (['a'], [], ['a'])
        """
        found = []
        while self._heap and self._heap[0][0] <= now:
            when, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                found.append(key)
                self._set(key, self._slot(key, now))
        return found

    def when(self, key: str) -> float:
        """When a key is next due."""
        return self._due[key]

    def _slot(self, key: str, now: float) -> float:
        interval = self._intervals[key]
        phase = _fraction(key) * interval
        after = now + interval / 2
        return phase + -((phase - after) // interval) * interval

    def _set(self, key: str, when: float) -> None:
        self._due[key] = when
        heapq.heappush(self._heap, (when, key))


def _fraction(key: str) -> float:
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) / 2**32
