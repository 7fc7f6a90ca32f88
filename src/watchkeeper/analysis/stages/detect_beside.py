"""The version in the shade of the one that decides which series are outside their usual range: it has episodes of its own
over the same bank, and what both tell of a series is compared. What is open in the shade is not kept over a restart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.shade import Shade
from watchkeeper.analysis.stages.detect_episodes import BARS, Change, Episodes, Known
from watchkeeper.model.act import Act
from watchkeeper.model.versions import LEVELS


class Pair(NamedTuple):
    """What both versions say of a series since `since_ms`: "above", "below" or "" for nothing."""

    series: int
    since_ms: int
    deciding: str
    shade: str


class Beside:
    """Follows the choice of versions, and compares."""

    def __init__(self, known: Known, deciding: Episodes) -> None:
        self.shade = Shade(LEVELS)
        self._known, self._deciding = known, deciding
        self._shaded: Episodes | None = None
        self._since: dict[int, int] = {}  # slot → when one of the two told of it first
        self._pairs: list[Pair] = []

    def hear(self, acts: Iterable[Act]) -> None:
        """Take another choice of versions: what is open stays as it is, and is judged by the new one from here on."""
        if not self.shade.hear(acts):
            return
        self._deciding.bar = BARS[self.shade.decides]
        self._shaded = Episodes(self._known, self.shade.shade) if self.shade.shade else None
        self._since = {}

    @property
    def open(self) -> set[int]:
        """Slots with an episode in the shade."""
        return set() if self._shaded is None else set(self._shaded.open)

    def rest(self, slot: int, time_ms: int, value: float) -> None:
        """See a point of a series that rests."""
        if self._shaded is not None:
            for _ in self._shaded.rest(slot, time_ms, value):
                pass

    def tick(self, now_ms: int, resting: set[int]) -> None:
        """End what has no points any more."""
        if self._shaded is not None:
            self._shaded.tick(now_ms, resting)

    def look(
        self, slots: NDArray[np.int64], times: NDArray[np.int64], infos: Mapping[int, SeriesInfo],
        told: Iterable[Change],
    ) -> None:  # fmt: skip
        """After the bank and the deciding version, which told this, have seen these points."""
        if self._shaded is None:
            return
        begun = [c for c in (*told, *self._shaded.look(slots, times, infos)) if c.active]
        self._since = {
            s: t for s, t in self._since.items() if s in self._deciding.open or s in self._shaded.open
        }
        for change in begun:
            slot = int(self._known.slots_of(np.array([change.series], np.uint64))[0])
            since = self._since.setdefault(slot, change.episode.began_ms)
            self._pairs.append(
                Pair(change.series, since, _said(self._deciding, slot), _said(self._shaded, slot))
            )

    def take(self) -> list[Pair]:
        """What was compared since the last time."""
        pairs, self._pairs = self._pairs, []
        return pairs


def _said(episodes: Episodes, slot: int) -> str:
    episode = episodes.open.get(slot)
    return "" if episode is None or not episode.told else "above" if episode.up else "below"
