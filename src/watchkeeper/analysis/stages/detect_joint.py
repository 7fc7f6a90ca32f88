"""The series of one item judged together: an item of which several measurements stray a little, for minutes, as they never
do together, though none of them leaves its own range. Looked at once a minute, by the times of the points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.joint import Joint
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.analysis.stages.detect_levels import Levels

WIDTH = 24  # series of an item; one of each name first
MOST_ITEMS = 2_000
MINUTE_MS = 60_000
FRESH_MS = 150_000  # a series that sent nothing for so long is left out
KNOWN = 720  # minutes that an item has to be known
RATIO = 2.5  # of the distance to the usual largest of some hours
LAST, ENOUGH = 6, 5  # minutes looked back at, and how many of them have to be far out
CALM, CALM_MINUTES = 1.0, 10
LEAST_PARTS, LEAST_SHARE, MOST_PARTS = 3, 0.08, 5
LONGEST_MS = 6 * 3_600_000


class Spoken(NamedTuple):
    """A series that has a part in it."""

    series: int
    value: float
    before: float  # its level
    up: bool
    share: float


class Joined(NamedTuple):
    """An item whose series stray together, or (active False) no longer do."""

    item: str
    began_ms: int
    ratio: float
    parts: tuple[Spoken, ...]
    active: bool = True
    why: str = ""


class Together:
    """The items with the series that are looked at together; slots are those of Levels."""

    def __init__(self, levels: Levels) -> None:
        self.joint = Joint(WIDTH)
        self._levels = levels
        self._items: dict[str, int] = {}  # → group
        self._slots = np.full((0, WIDTH), -1)
        self._names: list[set[str]] = []
        self._far = np.zeros(0, np.int64)  # bits: the last minutes, far out or not
        self._calm = np.zeros(0, np.int64)  # minutes since it was calm again
        self._open: dict[str, Joined] = {}
        self._minute = 0
        self._placed = 0  # slots of Levels that have been given a place, or none

    def look(self, newest_ms: int, infos: Mapping[int, SeriesInfo]) -> Iterator[Joined]:
        """What is to be told, once the points have come into the next minute."""
        self._place(infos)
        minute = newest_ms // MINUTE_MS
        if minute <= self._minute or not self._items:
            self._minute = max(self._minute, minute)
            return
        self._minute = minute
        values = self._values(minute * MINUTE_MS)
        heard = np.flatnonzero(np.isfinite(values).sum(axis=1) >= LEAST_PARTS)
        if not len(heard):
            return
        self.joint.update(heard, minute * MINUTE_MS, values[heard])
        ratio = self.joint.groups["ratio"][heard]
        self._far[heard] = (self._far[heard] << 1 | (ratio >= RATIO)) & ((1 << LAST) - 1)
        self._calm[heard] = np.where(ratio < CALM, self._calm[heard] + 1, 0)
        maybe = heard[(self._far[heard] != 0) & (self.joint.groups["seen"][heard] >= KNOWN)]
        by_group = list(self._items)
        for group in maybe.tolist():
            if by_group[group] not in self._open and int(self._far[group]).bit_count() >= ENOUGH:
                yield from self._begin(by_group[group], group, minute * MINUTE_MS, infos)
        yield from self._end(minute * MINUTE_MS)

    def _place(self, infos: Mapping[int, SeriesInfo]) -> None:
        """Give new series a place in the group of their item."""
        by_slot = self._levels.by_slot
        for slot in range(self._placed, len(by_slot)):
            info = infos.get(by_slot[slot])
            if info is None or not info.item:
                continue
            group = self._items.get(info.item, -1)
            if group < 0 and len(self._items) < MOST_ITEMS:
                group = self._items[info.item] = len(self._items)
                self._grow(group + 1)
            if group >= 0:
                self._take(group, slot, info.name)
        self._placed = len(by_slot)

    def _take(self, group: int, slot: int, name: str) -> None:
        free = np.flatnonzero(self._slots[group] < 0)
        kept = (
            0 if name not in self._names[group] else WIDTH // 4
        )  # places for names of which there is none yet
        if len(free) > kept:
            self._slots[group, free[0]] = slot
            self._names[group].add(name)

    def _grow(self, n: int) -> None:
        if n > len(self._slots):
            more = n + n // 4 + 8 - len(self._slots)
            self._slots = np.concatenate((self._slots, np.full((more, WIDTH), -1)))
            self._far = np.concatenate((self._far, np.zeros(more, np.int64)))
            self._calm = np.concatenate((self._calm, np.zeros(more, np.int64)))
            self.joint.grow(len(self._slots))
        self._names += [set() for _ in range(n - len(self._names))]

    def _values(self, now_ms: int) -> NDArray[np.float64]:
        s = self._levels.bank.series
        # Of no slot: the last, and taken out again. Columns first: a row is thousands of bytes.
        fresh = (self._slots >= 0) & (now_ms - s["seconds"][self._slots] * 1000.0 <= FRESH_MS)
        return np.where(fresh & (s["seen"][self._slots] > 0), s["value"][self._slots], np.nan)

    def _begin(self, item: str, group: int, now_ms: int, infos: Mapping[int, SeriesInfo]) -> Iterator[Joined]:
        """Told when several have a part in it, it is trouble, and none of them is told by itself."""
        series = self._levels.bank.series
        spoken = []
        for part in self.joint.parts(group):
            slot = int(self._slots[group, part.column])
            if part.share < LEAST_SHARE or slot < 0:
                continue
            s, id_ = series[slot], self._levels.by_slot[slot]
            if slot in self._levels.episodes.open:
                return
            up, info = part.deviation > 0.0, infos.get(id_)
            if up or (info is not None and not words.only_more_is_bad(info.name)):
                spoken.append(Spoken(id_, float(s["value"]), part.level, up, round(part.share, 3)))
        if len(spoken) >= LEAST_PARTS:
            ratio = float(self.joint.groups["ratio"][group])
            found = Joined(item, now_ms - ENOUGH * MINUTE_MS, ratio, tuple(spoken[:MOST_PARTS]))
            self._open[item], self._calm[group] = found, 0
            yield found

    def _end(self, now_ms: int) -> Iterator[Joined]:
        for item, joined in list(self._open.items()):
            group = self._items.get(item, -1)
            calm = group >= 0 and self._calm[group] >= CALM_MINUTES
            if calm or group < 0 or now_ms - joined.began_ms > LONGEST_MS:
                del self._open[item]
                why = (
                    "They have been calm together for ten minutes."
                    if calm
                    else "It has stayed and is taken as usual now."
                )
                yield joined._replace(active=False, why=why)

    def remember(self, joined: Joined) -> None:
        """Take for told what a living alert says was told."""
        self._open.setdefault(joined.item, joined)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        opened = [[*j[:3], [list(p) for p in j.parts]] for j in self._open.values()]
        return {
            "joint": self.joint.state(), "items": list(self._items), "slots": self._slots, "far": self._far,
            "calm": self._calm, "open": opened, "minute": self._minute, "placed": self._placed,
            "names": [sorted(n) for n in self._names],
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back a snapshot of the same Levels; nothing, when it is of another version."""
        if not self.joint.load(state["joint"]):
            return
        self._items = {item: n for n, item in enumerate(state["items"])}
        self._slots, self._far, self._calm = state["slots"], state["far"], state["calm"]
        self._names = [set(n) for n in state["names"]]
        self._minute, self._placed = state["minute"], state["placed"]
        for item, began_ms, ratio, parts in state["open"]:
            self._open[item] = Joined(item, began_ms, ratio, tuple(Spoken(*p) for p in parts))


def sentence(joined: Joined, where: str, say: Callable[[Spoken], tuple[str, str, str]]) -> str:
    """What is told of it; `say` gives a series' name, its value and what is usual."""
    if not joined.active:
        return f"The measurements of {where} that strayed together do no longer. {joined.why}"
    listed = [
        f"{what} is {now} (about {usual} in the half hour before)"
        for what, now, usual in map(say, joined.parts)
    ]
    return f"Several measurements of {where} are off at once, though none by much: {_list(listed)}."


def _list(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
