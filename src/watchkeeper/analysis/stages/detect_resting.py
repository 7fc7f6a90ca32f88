"""Which series rest because work is planned on them: the detectors neither learn from them nor find anything in them
while a maintenance window lasts, nor for a while after it. It goes by the times of the points, so a replay does the same.

`Resting` knows the windows; a `Mask` says it of the slots of one Levels, and is made anew only when windows, the graph or
series change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages.holding import Hold, Holds, reached
from watchkeeper.model.act import ActKind
from watchkeeper.model.errors import Malformed
from watchkeeper.model.topology import Topology

SETTLE_MS = 300_000  # after a window, until what was worked on is as it was
BACK_MS = 86_400_000  # points older than this are judged as they come
AHEAD_MS = 7_200_000  # occurrences are looked up for so long, and again when half of it is over


class Span(NamedTuple):
    """One occurrence of a window with its settling, and the items that it reaches (None: whatever has its labels)."""

    hold: Hold
    begin_ms: int
    until_ms: int
    items: frozenset[str] | None = None

    def covers(self, info: SeriesInfo | None) -> bool:
        """Whether a series rests in it: its alerts would be held back."""
        if info is None or (self.items is not None and info.item not in self.items):
            return False
        if not self.hold.matchers:
            return True
        labels = {**info.labels, "metric": info.name}
        return all(m.matches(labels) for m in self.hold.matchers)


class Resting:
    """The windows, and the spans that the points of the present Work can lie in; `version` counts their changes."""

    def __init__(self) -> None:
        self.spans: tuple[Span, ...] = ()
        self.version = 0
        self._windows = Holds()
        self._near: list[Span] = []  # occurrences within BACK_MS and AHEAD_MS of when they were looked up
        self._looked_ms = -1
        self._topology: Topology | None = None

    def hear(self, work: Work) -> None:
        """Take the windows that were made, changed or ended; items that were merged. What cannot be taken is counted by
        the stage that holds alerts back."""
        for act in work.acts:
            if act.kind is ActKind.MAINTENANCE:
                self._looked_ms = -1
                try:
                    self._windows.take(act)
                except Malformed:
                    continue
        if work.became:
            self._windows.move(work.became)
            self._looked_ms = -1

    def look(self, now_ms: int, times: NDArray[np.int64], topology: Topology) -> None:
        """Find the spans for points of these times (Unix milliseconds), and for now."""
        if self._looked_ms < 0 or not 0 <= now_ms - self._looked_ms < AHEAD_MS // 2:
            self._look_up(now_ms)
        first, last = (int(times.min()), int(times.max())) if len(times) else (now_ms, now_ms)
        first, last = min(first, now_ms), max(last, now_ms)
        near = [s for s in self._near if s.begin_ms <= last and s.until_ms > first]
        before = [s._replace(items=None) for s in self.spans]
        if topology is self._topology and near == before:
            return
        self._topology = topology
        spans = tuple(s._replace(items=_reached(s.hold, topology)) for s in near)
        if spans != self.spans:
            self.spans, self.version = spans, self.version + 1

    def _look_up(self, now_ms: int) -> None:
        self._looked_ms, self._near = now_ms, []
        for hold in self._windows:
            for begin, end in hold.schedule.occurrences(now_ms - BACK_MS):
                if begin > now_ms + AHEAD_MS:
                    break
                self._near.append(Span(hold, begin, end + SETTLE_MS))


def _reached(hold: Hold, topology: Topology) -> frozenset[str] | None:
    return frozenset(reached(hold.items, hold.reach, topology)) if hold.items else None


class Mask:
    """Which slots of one Levels rest when."""

    def __init__(self, resting: Resting) -> None:
        self._resting = resting
        self._version = 0
        self._rows: list[tuple[Span, NDArray[np.bool_]]] = []
        self._known = 0  # slots

    def follow(self, by_slot: Sequence[int], infos: Mapping[int, SeriesInfo], changed: Iterable[int]) -> None:
        """Bring it up to date: `by_slot` are the series of the slots, `changed` the slots whose series is another now."""
        spans, n = self._resting.spans, len(by_slot)
        if self._version != self._resting.version:
            self._version, self._known = self._resting.version, 0
            self._rows = [(span, np.zeros(n, np.bool_)) for span in spans]
        if not self._rows:
            self._known = n
            return
        if n > self._known:
            more = n - len(self._rows[0][1])
            self._rows = [(span, np.concatenate((row, np.zeros(more, np.bool_)))) for span, row in self._rows]
        look_at = {*changed, *range(self._known, n)}
        self._known = n
        for slot in look_at:
            info = infos.get(by_slot[slot])
            for span, row in self._rows:
                row[slot] = span.covers(info)

    def of(self, slots: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these points (slot, Unix milliseconds) are of a series that rests then."""
        out = np.zeros(len(slots), np.bool_)
        for span, row in self._rows:
            out |= row[slots] & (times >= span.begin_ms) & (times < span.until_ms)
        return out

    def at(self, now_ms: int) -> NDArray[np.int64]:
        """The slots that rest now."""
        rows = [row for span, row in self._rows if span.begin_ms <= now_ms < span.until_ms]
        return np.flatnonzero(np.logical_or.reduce(rows)) if rows else np.empty(0, np.int64)
