"""Levels: turns the bank's scores into findings that deserve an alert, and tells when they are over.

A high score alone is not an alert. A finding begins when a series has been known for long enough, the change
is large against its own past and worth words in its unit, and it has lasted; it ends when the series has been
back in the range that was usual when it began, or when the new level has become usual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.bank import KINDS, Bank
from watchkeeper.analysis.detectors.rates import COUNTER, LEARNED_COUNTER, UNKNOWN
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages import detect_words as words

KNOWN_MS = 3_600_000  # a series younger than this is watched, not judged
KNOWN_POINTS = 60
RATIO = 3.0  # of the largest deviation to the usual largest; more while few blocks of hours are known
RATIO_FIRST, RATIO_YOUNG, YOUNG_BLOCKS = 6.0, 5.0, 4
DAILY_MS, WEEKLY_MS = 2 * 86_400_000, 15 * 86_400_000  # before that nobody knows what is usual at an hour
HOLD_MS, HOLD_POINTS, HOLD_SHARE = 300_000, 3, 0.8
NEW_NORMAL_MS = 86_400_000
LOST_MS = 3_600_000
MAX_SERIES = 50_000


@dataclass(slots=True)
class Episode:
    """A series outside its usual range, from the first point on."""

    began_ms: int
    low: float
    high: float
    sentence: str  # what was usual then, in words
    up: bool
    score: float
    ratio: float
    value: float
    points: int = 0
    outside: int = 0
    inside_since_ms: int = 0
    inside: int = 0
    last_ms: int = 0
    told: bool = False


@dataclass(slots=True, frozen=True)
class Change:
    """An episode that is to be told: begun, or over (and why)."""

    series: int
    episode: Episode
    active: bool
    why: str = ""


class Levels:
    """The bank, the series it knows by id, and the episodes that are open."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.ids = np.empty(0, np.uint64)  # sorted
        self.slots = np.empty(0, np.int64)
        self.first_ms = np.empty(0, np.int64)  # by slot
        self.episodes: dict[int, Episode] = {}  # by slot
        self.by_slot: list[int] = []
        self.not_judged = 0

    def process(
        self, series: NDArray[np.uint64], times: NDArray[np.int64], values: NDArray[np.float64],
        infos: Mapping[int, SeriesInfo],
    ) -> list[Change]:  # fmt: skip
        """Judge points in time order, of many series mixed; return what is to be told."""
        slots = self._slots(series, times, infos)
        if (slots < 0).any():
            self.not_judged += int((slots < 0).sum())
            keep = slots >= 0
            series, times, values, slots = series[keep], times[keep], values[keep], slots[keep]
        if len(times) > 1 and (np.diff(times) < 0).any():
            order = np.argsort(times, kind="stable")
            times, values, slots = times[order], values[order], slots[order]
        self.bank.update(slots, times, values)
        high = self.bank.series["recent_ratio"][slots] >= RATIO
        for slot, time_ms in dict(zip(slots[high].tolist(), times[high].tolist(), strict=True)).items():
            self._maybe_open(slot, time_ms, infos)
        return list(self._follow(slots, times)) if self.episodes else []

    def declare(self, changed: Sequence[int], infos: Mapping[int, SeriesInfo]) -> None:
        """Take the kinds of series that are declared after their first points came."""
        if not changed:
            return
        ids = np.array(changed, np.uint64)
        for series, slot in zip(changed, self.slots_of(ids).tolist(), strict=True):
            if slot >= 0 and self.bank.series["rate"]["kind"][slot] == UNKNOWN:
                self.bank.series["rate"]["kind"][slot] = _kind(infos.get(series))

    def tick(self, now_ms: int) -> list[Change]:
        """End what has no points any more."""
        out = []
        for slot, e in list(self.episodes.items()):
            if now_ms - max(e.last_ms, e.began_ms) > LOST_MS:
                del self.episodes[slot]
                if e.told:
                    out.append(Change(self.by_slot[slot], e, False, "There are no more values."))
        return out

    def _slots(
        self, series: NDArray[np.uint64], times: NDArray[np.int64], infos: Mapping[int, SeriesInfo]
    ) -> NDArray[np.int64]:
        slots = self.slots_of(series)
        new = slots < 0
        if not new.any() or len(self.ids) >= MAX_SERIES:
            return slots
        unknown, first = np.unique(series[new], return_index=True)
        self._add(unknown[: MAX_SERIES - len(self.ids)], times[new][first], infos)
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
        kinds = np.array([_kind(infos.get(i)) for i in new.tolist()], np.int32)
        room = len(self.bank.series)
        if begin + len(new) > room:
            self.bank.grow(max(begin + len(new), room + room // 4))
        self.bank.series["rate"]["kind"][begin : begin + len(new)] = kinds

    def _maybe_open(self, slot: int, time_ms: int, infos: Mapping[int, SeriesInfo]) -> None:
        s = self.bank.series[slot]
        blocks = int(s["blocks"]["count"])
        needed = RATIO_FIRST if not blocks else RATIO_YOUNG if blocks < YOUNG_BLOCKS else RATIO
        age = time_ms - int(self.first_ms[slot])
        known = s["seen"] >= KNOWN_POINTS and age >= KNOWN_MS
        if slot in self.episodes or not known or s["recent_ratio"] < needed:
            return
        info = infos.get(self.by_slot[slot]) or SeriesInfo(self.by_slot[slot], "value", {}, "unknown", "", "")
        expected, spread, value = float(s["expected"]), float(s["spread"]), float(s["value"])
        up = value > expected
        if not up and words.only_more_is_bad(info.name):
            return
        rate = int(s["rate"]["kind"]) in (COUNTER, LEARNED_COUNTER)
        unit = words.unit_of(info)
        margin = max(4.0 * spread, words.least_change(unit, rate, expected, up))
        if abs(value - expected) < margin:
            return
        by_day, by_week = self.bank.season(slot)
        text = words.usual(
            expected - 2.5 * spread, expected + 2.5 * spread, unit, rate, expected - spread < 0
        )
        text += words.when(time_ms, by_day and age >= DAILY_MS, by_week and age >= WEEKLY_MS)
        ratio = float(s["recent_ratio"])
        self.episodes[slot] = Episode(
            time_ms,
            expected - margin,
            expected + margin,
            text,
            up,
            self.bank.score_of(slot, ratio),
            ratio,
            value,
        )

    def _follow(self, slots: NDArray[np.int64], times: NDArray[np.int64]) -> Iterator[Change]:
        """Look at the series with open episodes: does it last, is it over?"""
        present = np.isin(slots, np.fromiter(self.episodes, np.int64, len(self.episodes)))
        last = dict(zip(slots[present].tolist(), times[present].tolist(), strict=True))
        for slot, time_ms in last.items():
            episode, series = self.episodes[slot], self.by_slot[slot]
            value = float(self.bank.series[slot]["value"])
            _take(episode, value, time_ms)
            if not episode.told and _lasts(episode, time_ms):
                episode.told, episode.value = True, value
                yield Change(series, episode, True)
            elif _over(episode, time_ms):
                del self.episodes[slot]
                if episode.told:
                    yield Change(series, episode, False, "It is back in its usual range.")
            elif time_ms - episode.began_ms > NEW_NORMAL_MS:
                del self.episodes[slot]
                if episode.told:
                    yield Change(series, episode, False, "It has stayed for a day and is taken as usual now.")

    def last(self, series: int) -> Any:
        """The bank's record of a series, with its last value."""
        return self.bank.series[self.slots_of(np.array([series], np.uint64))[0]]

    def remember(self, series: int, episode: Episode) -> None:
        """Take for told what a living alert says was told."""
        slot = int(self.slots_of(np.array([series], np.uint64))[0])
        if slot < 0:
            self._add(np.array([series], np.uint64), np.array([episode.began_ms]), {})
            slot = len(self.by_slot) - 1
        self.episodes.setdefault(slot, episode).told = True

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "bank": self.bank.state(), "ids": np.array(self.by_slot, np.uint64), "first": self.first_ms,
            "episodes": {str(slot): asdict(e) for slot, e in self.episodes.items()},
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> bool:
        """Take back a snapshot; False when the bank's is of another version."""
        if not self.bank.load(state["bank"]):
            return False
        self.by_slot = state["ids"].tolist()
        order = np.argsort(state["ids"])
        self.ids, self.slots = state["ids"][order], order.astype(np.int64)
        self.first_ms = state["first"]
        self.episodes = {int(slot): Episode(**e) for slot, e in state["episodes"].items()}
        return True


def _kind(info: SeriesInfo | None) -> int:
    if info is None:
        return UNKNOWN
    if info.kind == "histogram" or info.name.endswith("_total"):
        return COUNTER
    return KINDS.get(info.kind, UNKNOWN)


def _take(e: Episode, value: float, time_ms: int) -> None:
    e.points += 1
    e.last_ms = time_ms
    if value > e.high if e.up else value < e.low:
        e.outside += 1
        e.inside, e.inside_since_ms = 0, 0
        e.value = max(e.value, value) if e.up else min(e.value, value)
    else:
        e.inside += 1
        e.inside_since_ms = e.inside_since_ms or time_ms


def _lasts(e: Episode, time_ms: int) -> bool:
    return (
        time_ms - e.began_ms >= HOLD_MS
        and e.outside >= HOLD_POINTS
        and e.outside >= HOLD_SHARE * e.points
        and not e.inside
    )


def _over(e: Episode, time_ms: int) -> bool:
    if e.inside < HOLD_POINTS:
        return False
    return not e.told or time_ms - e.inside_since_ms >= HOLD_MS
