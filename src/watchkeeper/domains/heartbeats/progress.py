"""How many seconds the readers of the journal are behind: since when there is an entry that a reader has not passed.
Offsets have no times of their own, so it is seen how they rise. Pure: time is passed in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping

KEPT = 3600  # looks at the journal's end that are remembered: an hour, at one a second
RECENT = 300  # looks at the readers


class Progress:
    """For one thread that looks, about once a second, and any that asks.

    >>> p = Progress()
    >>> for at, end, passed in ((1.0, 10, 10), (2.0, 20, 10), (5.0, 30, 19)):
    ...     p.saw(at, end, {"analysis": passed})
    >>> p.behind()
    {'analysis': 3.0}
    """

    def __init__(self) -> None:
        self._ends: deque[tuple[int, float]] = deque(
            maxlen=KEPT
        )  # an end of the journal, and when it was first seen
        self._lags: dict[str, deque[float]] = {}

    def saw(self, at: float, end: int, passed: Mapping[str, int]) -> None:
        """Note a look: when (seconds), the last offset of the journal, and that of each reader."""
        if not self._ends or end > self._ends[-1][0]:
            self._ends.append((end, at))
        for reader, offset in passed.items():
            lags = self._lags.setdefault(reader, deque(maxlen=RECENT))
            lags.append(self._lag(at, offset))

    def _lag(self, at: float, offset: int) -> float:
        """Since when the journal has more than this."""
        ends = list(self._ends)
        first = bisect_right(ends, offset, key=lambda seen: seen[0])
        return at - ends[first][1] if first < len(ends) else 0.0

    def behind(self) -> dict[str, float]:
        """Reader → seconds, at the last look."""
        return {reader: lags[-1] for reader, lags in self._lags.items()}

    def worst(self) -> dict[str, float]:
        """Reader → the most seconds of the last five minutes."""
        return {reader: max(lags) for reader, lags in self._lags.items()}


#: of the web process, which looks; see app.vitals
progress = Progress()
