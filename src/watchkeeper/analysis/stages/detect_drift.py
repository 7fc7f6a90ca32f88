"""Drifts: series that move one way, slowly, for hours to weeks; told when they have come far enough to be worth words, and
when it is over. What has left its usual range is told as that instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.drift import Drift, Drifting
from watchkeeper.analysis.detectors.rates import COUNTER, GAUGE, LEARNED_COUNTER, UNKNOWN
from watchkeeper.analysis.detectors.thresholds import AHEAD_MS
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.analysis.stages.detect_levels import Levels

LOOK_MS = 60_000
LOST_MS = 6 * 3_600_000  # without a value


class Drifted(NamedTuple):
    """A series that drifts, or (active False) does not any more, and why."""

    series: int
    drifting: Drifting
    per_second: bool
    active: bool = True
    why: str = ""


class Drifts:
    """Looks once a minute; slots are those of Levels."""

    def __init__(self, levels: Levels) -> None:
        self.drift = Drift()
        self._levels = levels
        self._told: dict[int, Drifting] = {}  # by series
        self._resume: dict[int, Drifting] = {}  # what living alerts say of series that have not come since
        self._looked_ms = self._first_look_ms = 0  # the first since the start
        self._known = 0  # slots whose kinds were taken

    def arrived(
        self, slots: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64], now_ms: int
    ) -> None:
        """Points of series that Levels knows; what rests is neither learned nor judged, and what comes from the future is
        wrong."""
        keep = (slots >= 0) & (times <= now_ms + AHEAD_MS)
        keep[keep] = ~self._levels.rest.of(slots[keep], times[keep])
        self._grow()
        self.drift.update(slots[keep], times[keep], values[keep])

    def _grow(self) -> None:
        """Room for the series that are new, with the kinds that are declared; what is not, is learned here too."""
        known = len(self._levels.by_slot)
        if known > len(self.drift.series):
            self.drift.grow(known + known // 4)
        if known > self._known:
            self._declare(self._known, known)
            self._known = known

    def _declare(self, begin: int, end: int) -> None:
        own = self.drift.series["rate"]["kind"][begin:end]
        kinds = self._levels.bank.series["rate"]["kind"][begin:end]
        slots = np.flatnonzero((own == UNKNOWN) & ((kinds == GAUGE) | (kinds == COUNTER)))
        self.drift.declare(slots + begin, kinds[slots])

    def look(self, now_ms: int, infos: Mapping[int, SeriesInfo]) -> Iterator[Drifted]:
        """What is to be told now."""
        if 0 <= now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        self._first_look_ms = self._first_look_ms or now_ms
        self._declare(0, min(self._known, len(self._levels.by_slot)))
        self._take_up()
        ways = self.drift.series["way"][: self._known]
        for slot in np.flatnonzero(ways).tolist():
            series = self._levels.by_slot[slot]
            found = self.drift.found(slot)
            if series in self._told:
                self._told[series] = found
            elif self._is_worth(slot, found, infos.get(series)):
                self._told[series] = found
                yield Drifted(series, found, self._per_second(slot))
        yield from self._end(now_ms)

    def _is_worth(self, slot: int, found: Drifting, info: SeriesInfo | None) -> bool:
        open_level = self._levels.episodes.open.get(slot)
        if info is None or (open_level is not None and open_level.told):
            return False
        if found.way < 0 and words.only_more_is_bad(info.name):
            return False
        return words.worth_of_drift(words.unit_of(info), self._per_second(slot), found.before, found.now)

    def _end(self, now_ms: int) -> Iterator[Drifted]:
        resting = set(self._levels.rest.at(now_ms).tolist()) if self._told else set()
        for series, before in list(self._told.items()):
            slot, waits = self._slot(series), series in self._resume
            heard = 0.0 if waits else float(self.drift.series["seconds"][slot]) * 1000
            found = before if waits else self.drift.found(slot)
            why = ""
            if slot not in resting and now_ms - max(heard, self._first_look_ms) > LOST_MS:
                why = "There are no more values."
                self._resume.pop(series, None)
                if not waits:
                    self.drift.stop(slot)
            elif not found.way:
                way = "risen" if before.way > 0 else "fallen"
                why = (
                    f"It has {way} so for long enough to be usual." if found.taken else "It goes on no more."
                )
            if why:
                del self._told[series]
                yield Drifted(series, before._replace(now=found.now), self._per_second(slot), False, why)

    def _slot(self, series: int) -> int:
        return int(self._levels.slots_of(np.array([series], np.uint64))[0])

    def _per_second(self, slot: int) -> bool:
        known = 0 <= slot < len(self.drift.series)
        return known and int(self.drift.series["rate"]["kind"][slot]) in (COUNTER, LEARNED_COUNTER)

    def _take_up(self) -> None:
        """What living alerts say goes on, once its series is there again."""
        for series, drifting in list(self._resume.items()):
            slot = self._slot(series)
            if 0 <= slot < self._known and self.drift.series["cell"][slot] >= 0:
                if not self.drift.found(slot).way:
                    self.drift.resume(slot, drifting)
                del self._resume[series]

    def remember(self, series: int, drifting: Drifting) -> None:
        """Take for told what a living alert says was told."""
        self._told.setdefault(series, drifting)
        self._resume[series] = drifting

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {"drift": self.drift.state(), "told": [[s, *d] for s, d in self._told.items()]}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take back a snapshot of the same Levels; nothing, when it is of another version."""
        if state is not None and self.drift.load(state["drift"]):
            self._told = {series: Drifting(*plain) for series, *plain in state["told"]}
