"""Episodes: series outside their usual range. A high score alone is not an alert. An episode begins when a series has been
known for long enough, the change is large against its own past and worth words in its unit; it is told when it has
lasted; it ends when the series has been back in the range that was usual when it began, or when the new level has become
usual. Versions differ in how much they ask of one: `BARS`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.bank import Bank
from watchkeeper.analysis.detectors.rates import COUNTER, LEARNED_COUNTER
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages import detect_words as words

KNOWN_MS = 3_600_000  # a series younger than this is watched, not judged
KNOWN_POINTS = 60
YOUNG_BLOCKS = 4
DAILY_MS, WEEKLY_MS = 2 * 86_400_000, 15 * 86_400_000  # before that nobody knows what is usual at an hour
HOLD_MS, HOLD_POINTS, HOLD_SHARE = 300_000, 3, 0.8
NEW_NORMAL_MS = 86_400_000
CHANGED_NORMAL_MS = 2 * 3_600_000  # the same after a change, once the new level is calm
LOST_MS = 3_600_000
SOON = 60.0  # seconds


class Bar(NamedTuple):
    """What is asked of an episode: `ratio` of the largest deviation to the usual largest, `young` while few blocks of
    hours are known and `first` before any is; and for how long it has to last before it is told."""

    ratio: float
    young: float
    first: float
    last_ms: int


#: version of `model.versions.LEVELS` → what it asks
BARS: Mapping[str, Bar] = {
    "standard": Bar(3.0, 5.0, 6.0, 300_000),
    "cautious": Bar(4.0, 6.5, 8.0, 600_000),
    "eager": Bar(2.5, 4.0, 5.0, 180_000),
}


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
    held: str = ""  # the judgement by which it is usual, so that nobody is told
    changed: str = ""  # the change that it began after, in words


@dataclass(slots=True, frozen=True)
class Change:
    """An episode that is to be told: begun, or over (and why)."""

    series: int
    episode: Episode
    active: bool
    why: str = ""


#: series, Unix milliseconds, whether above, value → the judgement by which that is usual, "" for none
Usual = Callable[[int, int, bool, float], str]


class Known(Protocol):
    """The series that a bank watches: what Levels has."""

    bank: Bank
    by_slot: list[int]
    first_ms: NDArray[np.int64]

    def slots_of(self, series: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Slots of these series; -1 of one that is not known."""
        ...


class Episodes:
    """Those that are open, by slot, as one version has them."""

    def __init__(self, known: Known, version: str, usual: Usual = lambda *_: "") -> None:
        self.known, self.usual = known, usual
        self.bar = BARS[version]
        self.open: dict[int, Episode] = {}

    def look(
        self, slots: NDArray[np.int64], times: NDArray[np.int64], infos: Mapping[int, SeriesInfo]
    ) -> list[Change]:
        """After the bank has seen these points: what is to be told."""
        high = self.known.bank.series["recent_ratio"][slots] >= self.bar.ratio
        for slot, time_ms in dict(zip(slots[high].tolist(), times[high].tolist(), strict=True)).items():
            self._maybe_open(slot, time_ms, infos)
        return list(self._follow(slots, times)) if self.open else []

    def rest(self, slot: int, time_ms: int, value: float) -> Iterator[Change]:
        """A point of a series that rests: nothing new is found, and what was told before may be over."""
        e = self.open.get(slot)
        if e is None:
            return
        if not e.told:
            del self.open[slot]
            return
        e.last_ms = time_ms
        if np.isfinite(value):
            _take(e, value, time_ms)
            if _over(e, time_ms):
                del self.open[slot]
                if not e.held:
                    yield Change(self.known.by_slot[slot], e, False, "It is back in its usual range.")

    def tick(self, now_ms: int, resting: Collection[int]) -> list[Change]:
        """End what has no points any more; slots in `resting` are not expected to have any."""
        out = []
        for slot, e in list(self.open.items()):
            if slot in resting:
                e.last_ms = now_ms
            if now_ms - max(e.last_ms, e.began_ms) > LOST_MS:
                del self.open[slot]
                if e.told and not e.held:
                    out.append(Change(self.known.by_slot[slot], e, False, "There are no more values."))
        return out

    def _maybe_open(self, slot: int, time_ms: int, infos: Mapping[int, SeriesInfo]) -> None:
        s = self.known.bank.series[slot]
        blocks = int(s["blocks"]["count"])
        bar = self.bar
        needed = bar.first if not blocks else bar.young if blocks < YOUNG_BLOCKS else bar.ratio
        age = time_ms - int(self.known.first_ms[slot])
        known = s["seen"] >= KNOWN_POINTS and age >= KNOWN_MS
        if slot in self.open or not known or s["recent_ratio"] < needed:
            return
        info = infos.get(self.known.by_slot[slot]) or SeriesInfo(
            self.known.by_slot[slot], "value", {}, "unknown", "", ""
        )
        expected, spread, value = *_expected(s), float(s["value"])
        up = value > expected
        if not up and words.only_more_is_bad(info.name):
            return
        rate = int(s["rate"]["kind"]) in (COUNTER, LEARNED_COUNTER)
        unit = words.unit_of(info)
        margin = max(4.0 * spread, words.least_change(unit, rate, expected, up))
        if abs(value - expected) < margin:
            return
        by_day, by_week = self.known.bank.season(slot)
        text = words.usual(
            expected - 2.5 * spread, expected + 2.5 * spread, unit, rate, expected - spread < 0
        )
        text += words.when(time_ms, by_day and age >= DAILY_MS, by_week and age >= WEEKLY_MS)
        ratio = float(s["recent_ratio"])
        self.open[slot] = Episode(
            time_ms,
            expected - margin,
            expected + margin,
            text,
            up,
            self.known.bank.score_of(slot, ratio),
            ratio,
            value,
        )

    def _follow(self, slots: NDArray[np.int64], times: NDArray[np.int64]) -> Iterator[Change]:
        """Look at the series with open episodes: does it last, is it over?"""
        present = np.isin(slots, np.fromiter(self.open, np.int64, len(self.open)))
        last = dict(zip(slots[present].tolist(), times[present].tolist(), strict=True))
        for slot, time_ms in last.items():
            episode, series = self.open[slot], self.known.by_slot[slot]
            value = float(self.known.bank.series[slot]["value"])
            _take(episode, value, time_ms)
            if not episode.told and self._lasts(episode, time_ms):
                episode.told, episode.value = True, value
                episode.held = self.usual(series, time_ms, episode.up, value)
                yield Change(series, episode, True)
            elif _over(episode, time_ms):
                del self.open[slot]
                if episode.told and not episode.held:
                    yield Change(series, episode, False, "It is back in its usual range.")
            elif why := self._new_normal(slot, episode, time_ms):
                del self.open[slot]
                if episode.told and not episode.held:
                    yield Change(series, episode, False, why)
            elif episode.held and not (held := self.usual(series, time_ms, episode.up, episode.value)):
                episode.held, episode.began_ms = held, time_ms  # until now it was usual
                yield Change(series, episode, True)

    def _new_normal(self, slot: int, e: Episode, time_ms: int) -> str:
        """Why what stays is taken as usual from now on; "" while it is not."""
        stayed = time_ms - e.began_ms
        if stayed > NEW_NORMAL_MS:
            return "It has stayed for a day and is taken as usual now."
        calm = bool(self.known.bank.series["recent_ratio"][slot] < self.bar.ratio)
        if e.changed and stayed > CHANGED_NORMAL_MS and calm:
            return f"It has stayed for two hours since {e.changed} and is taken as usual now."
        return ""

    def hold(self, series: int, judgement: str) -> None:
        """The open episode of a series is usual by this judgement."""
        if (e := self.of(series)) is not None:
            e.held = judgement

    def release(self, judgement: str) -> None:
        """What was held by a judgement is told, when it lasts from here on."""
        for e in self.open.values():
            if e.held == judgement:
                e.held, e.told, e.began_ms = "", False, e.last_ms

    def of(self, series: int) -> Episode | None:
        """The open episode of a series."""
        return self.open.get(int(self.known.slots_of(np.array([series], np.uint64))[0]))

    def remember(self, slot: int, episode: Episode) -> None:
        """Take for told what a living alert says was told."""
        self.open.setdefault(slot, episode).told = True

    def snapshot(self) -> dict[str, Any]:
        """What is open, as plain data."""
        return {str(slot): asdict(e) for slot, e in self.open.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back a snapshot."""
        self.open = {int(slot): Episode(**e) for slot, e in state.items()}

    def _lasts(self, e: Episode, time_ms: int) -> bool:
        return (
            time_ms - e.began_ms >= self.bar.last_ms
            and e.outside >= HOLD_POINTS
            and e.outside >= HOLD_SHARE * e.points
            and not e.inside
        )


def _expected(s: Any) -> tuple[float, float]:
    """What was expected of a series, and the spread: when it became unusual, if that is within the last minute. What is
    expected now may have followed it already."""
    then = "_then" if s["seconds"] - s["rose"] <= SOON else ""
    return float(s[f"expected{then}"]), float(s[f"spread{then}"])


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


def _over(e: Episode, time_ms: int) -> bool:
    if e.inside < HOLD_POINTS:
        return False
    return not e.told or time_ms - e.inside_since_ms >= HOLD_MS
