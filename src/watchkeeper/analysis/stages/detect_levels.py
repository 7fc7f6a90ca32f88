"""Levels: the series that the bank watches, and what is told of them: episodes (detect_episodes.py) of series outside their
usual range. Knows which series rests, and lets nothing be learned of that time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.bank import KINDS, Bank
from watchkeeper.analysis.detectors.rates import COUNTER, LEARNED_COUNTER, UNKNOWN
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages.detect_beside import Beside
from watchkeeper.analysis.stages.detect_episodes import Change, Episode, Episodes, Usual
from watchkeeper.analysis.stages.detect_resting import Mask, Resting
from watchkeeper.model.doors import RULES
from watchkeeper.model.versions import LEVELS, default

GOES_ON_MS = 12 * 3_600_000
MAX_SERIES = 50_000
MINUTE_MS, MOST_PARTS = 60_000, 1440  # what is read at once is judged in so many parts at most
NOT_YET = -1  # no point has come since its learning began anew


class Levels:
    """The bank, the series it knows by id, and the episodes that are open."""

    def __init__(self, resting: Resting | None = None, usual: Usual = lambda *_: "") -> None:
        self.bank = Bank()
        self.rest = Mask(resting or Resting())
        self.rested = np.empty(0, np.bool_)  # by slot: nothing was learned of it since it rested
        self._changed: list[int] = []  # slots whose series is another now
        self.ids = np.empty(0, np.uint64)  # sorted
        self.slots = np.empty(0, np.int64)
        self.first_ms = np.empty(0, np.int64)  # by slot
        self.episodes = Episodes(self, default(LEVELS), usual)
        self.beside = Beside(self, self.episodes)
        self.by_slot: list[int] = []
        self.not_judged = 0

    def process(
        self, series: NDArray[np.uint64], times: NDArray[np.int64], values: NDArray[np.float64],
        infos: Mapping[int, SeriesInfo],
    ) -> list[Change]:  # fmt: skip
        """Judge points in time order, of many series mixed; return what is to be told. What came late or after a standstill
        is judged a minute at a time, as if it had come in time; of what is over by then nobody is told."""
        slots = self._slots(series, times, infos)
        if (slots < 0).any():
            self.not_judged += int((slots < 0).sum())
            keep = slots >= 0
            series, times, values, slots = series[keep], times[keep], values[keep], slots[keep]
        if len(times) > 1 and (np.diff(times) < 0).any():
            order = np.argsort(times, kind="stable")
            times, values, slots = times[order], values[order], slots[order]
        self.rest.follow(self.by_slot, infos, self._changed)
        self._changed = []
        step = max(MINUTE_MS, int(times[-1] - times[0]) // MOST_PARTS) if len(times) else MINUTE_MS
        ends = (np.flatnonzero(np.diff(times // step)) + 1).tolist()
        told: list[Change] = []
        for begin, end in pairwise([0, *ends, len(times)]):
            told += self._judge(slots[begin:end], times[begin:end], values[begin:end], infos)
        return _going_on(told) if ends else told

    def _judge(
        self, slots: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64],
        infos: Mapping[int, SeriesInfo],
    ) -> list[Change]:  # fmt: skip
        over: list[Change] = []
        if (rest := self.rest.of(slots, times)).any():
            over = list(self._let_rest(slots[rest], times[rest], values[rest]))
            self.rested[slots[rest]] = True
            times, values, slots = times[~rest], values[~rest], slots[~rest]
        self._go_on(slots, times)
        if (anew := self.first_ms[slots] == NOT_YET).any():
            self.first_ms[slots[anew][::-1]] = times[anew][::-1]
        self.bank.update(slots, times, values)
        told = over + self.episodes.look(slots, times, infos)
        self.beside.look(slots, times, infos, told)
        return told

    def _go_on(self, slots: NDArray[np.int64], times: NDArray[np.int64]) -> None:
        """After a rest that was not long a series is judged by what it was before, as if no time had passed; after a long
        one as after any gap, when the last minutes say nothing."""
        back = self.rested[slots]
        if not back.any():
            return
        which, first = np.unique(slots[back], return_index=True)
        at = times[back][first] / 1000.0
        self.rested[which] = False
        soon = (at - self.bank.series["seconds"][which]) * 1000.0 < GOES_ON_MS
        step = self.bank.series["season"]["step"][which]
        self.bank.series["seconds"][which[soon]] = (at - step)[soon]

    def _let_rest(
        self, slots: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64]
    ) -> Iterator[Change]:
        """Nothing is learned of these points, and nothing found; what was told before may be over."""
        rate = self.bank.series["rate"]
        if watched := self.episodes.open.keys() | self.beside.open:
            for slot, time_ms, raw in zip(slots.tolist(), times.tolist(), values.tolist(), strict=True):
                if slot in watched:
                    value = self._measured(slot, time_ms, raw)
                    yield from self.episodes.rest(slot, time_ms, value)
                    self.beside.rest(slot, time_ms, value)
        # A counter's growth in a window is not the growth after it.
        there = np.isfinite(values)
        rate["value"][slots[there]], rate["seconds"][slots[there]] = values[there], times[there] / 1000.0

    def _measured(self, slot: int, time_ms: int, raw: float) -> float:
        """The value of a point that the bank does not see: of a counter, its growth a second; NaN where that is unknown."""
        rate, value = self.bank.series["rate"][slot], raw
        elapsed = time_ms / 1000.0 - rate["seconds"]
        if rate["kind"] in (COUNTER, LEARNED_COUNTER):
            grown = raw - rate["value"]
            value = float(grown / elapsed) if grown >= 0 and elapsed > 0 else np.nan
        if np.isfinite(raw):
            rate["value"], rate["seconds"] = raw, time_ms / 1000.0
        return value

    def tick(self, now_ms: int) -> list[Change]:
        """End what has no points any more."""
        resting = set(self.rest.at(now_ms).tolist()) if self.episodes.open or self.beside.open else set()
        self.beside.tick(now_ms, resting)
        return self.episodes.tick(now_ms, resting)

    def declare(self, changed: Sequence[int], infos: Mapping[int, SeriesInfo]) -> None:
        """Take the kinds of series that are declared after their first points came."""
        if not changed:
            return
        ids = np.array(changed, np.uint64)
        known = self.slots_of(ids)
        self._changed += known[known >= 0].tolist()
        kinds = np.array([_kind(infos.get(series)) for series in changed], np.int32)
        late = (known >= 0) & (kinds != UNKNOWN)
        late[late] = self.bank.series["rate"]["kind"][known[late]] == UNKNOWN
        self.bank.declare(known[late], kinds[late])

    def _slots(
        self, series: NDArray[np.uint64], times: NDArray[np.int64], infos: Mapping[int, SeriesInfo]
    ) -> NDArray[np.int64]:
        slots = self.slots_of(series)
        new = slots < 0
        if not new.any() or len(self.ids) >= MAX_SERIES:
            return slots
        unknown, first = np.unique(series[new], return_index=True)
        # What a rule made of other series says nothing of its own, and ends when the rule has no more to say.
        own = np.array([(i := infos.get(s)) is None or i.door != RULES for s in unknown.tolist()], dtype=bool)
        self._add(unknown[own][: MAX_SERIES - len(self.ids)], times[new][first][own], infos)
        return self.slots_of(series)

    def slots_of(self, series: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Slots of these series; -1 of one that is not known."""
        if not len(self.ids):
            return np.full(len(series), -1, np.int64)
        at = np.minimum(np.searchsorted(self.ids, series), len(self.ids) - 1)
        return np.where(self.ids[at] == series, self.slots[at], -1)

    def _add(
        self, new: NDArray[np.uint64], first: NDArray[np.int64], infos: Mapping[int, SeriesInfo]
    ) -> None:
        begin = len(self.by_slot)
        self.by_slot += new.tolist()
        self.ids = np.concatenate((self.ids, new))
        self.slots = np.concatenate((self.slots, np.arange(begin, begin + len(new))))
        order = np.argsort(self.ids)
        self.ids, self.slots = self.ids[order], self.slots[order]
        self.first_ms = np.concatenate((self.first_ms, first[: len(new)]))
        self.rested = np.concatenate((self.rested, np.zeros(len(new), np.bool_)))
        kinds = np.array([_kind(infos.get(i)) for i in new.tolist()], np.int32)
        room = len(self.bank.series)
        if begin + len(new) > room:
            self.bank.grow(max(begin + len(new), room + room // 4))
        self.bank.series["rate"]["kind"][begin : begin + len(new)] = kinds

    def last(self, series: int) -> Any:
        """The bank's record of a series, with its last value."""
        return self.bank.series[self.slots_of(np.array([series], np.uint64))[0]]

    def remember(self, series: int, episode: Episode) -> None:
        """Take for told what a living alert says was told."""
        slot = int(self.slots_of(np.array([series], np.uint64))[0])
        if slot < 0:
            self._add(np.array([series], np.uint64), np.array([episode.began_ms]), {})
            slot = len(self.by_slot) - 1
        self.episodes.remember(slot, episode)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "bank": self.bank.state(), "ids": np.array(self.by_slot, np.uint64), "first": self.first_ms,
            "rested": self.rested, "episodes": self.episodes.snapshot(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> bool:
        """Take back a snapshot. When the bank's is of another version the series are known, and learned anew: False."""
        self.by_slot = state["ids"].tolist()
        order = np.argsort(state["ids"])
        self.ids, self.slots = state["ids"][order], order.astype(np.int64)
        self.rested = state.get(
            "rested", np.zeros(len(self.by_slot), np.bool_)
        )  # kept since windows are known
        if not self.bank.load(state["bank"]):
            self.bank.grow(len(self.by_slot))
            self.first_ms = np.full(len(self.by_slot), NOT_YET)
            return False
        self.first_ms = state["first"]
        self.episodes.restore(state["episodes"])
        return True


def _going_on(told: Sequence[Change]) -> list[Change]:
    """Without what has begun and ended since the last time."""
    ended = {id(c.episode) for c in told if not c.active}
    brief = {id(c.episode) for c in told if c.active and id(c.episode) in ended}
    return [c for c in told if id(c.episode) not in brief]


def _kind(info: SeriesInfo | None) -> int:
    if info is None:
        return UNKNOWN
    if info.kind == "histogram" or info.name.endswith("_total"):
        return COUNTER
    return KINDS.get(info.kind, UNKNOWN)
