"""Stuck values: told once for each item, with the series that stand still; over when they move again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.rates import COUNTER, LEARNED_COUNTER
from watchkeeper.analysis.detectors.stuck import STATE, Stuck
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages.detect_levels import Levels

LOOK_MS = 60_000
VERSION = 1


class Standing(NamedTuple):
    """Series of one item, or one series without an item, that stand still (or, active False, move again)."""

    key: str
    item: str
    series: tuple[int, ...]
    since_ms: int
    active: bool = True


class StuckValues:
    """Looks once a minute; slots are those of Levels."""

    def __init__(self, levels: Levels) -> None:
        self.stuck = Stuck()
        self._levels = levels
        self._told: dict[str, Standing] = {}
        self._looked_ms = 0

    def arrived(
        self, slots: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Points of series that Levels knows; what rests is neither learned nor judged."""
        keep = slots >= 0
        keep[keep] = ~self._levels.rest.of(slots[keep], times[keep])
        self.stuck.update(slots[keep], times[keep], values[keep])

    def look(self, now_ms: int, infos: Mapping[int, SeriesInfo]) -> Iterator[Standing]:
        """What is to be told now."""
        if 0 <= now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        by_slot = self._levels.by_slot
        kinds = self._levels.bank.series["rate"]["kind"][: len(by_slot)]
        counters = np.isin(kinds, (COUNTER, LEARNED_COUNTER))  # which stand still when nothing happens
        found: dict[str, Standing] = {}
        for slot in self.stuck.standing(counters).tolist():
            info = infos.get(by_slot[slot])
            if info is None:
                continue
            key = info.item or f"{info.id:016x}"
            since = int(self.stuck.series["since"][slot] * 1000)
            known = found.get(key) or self._told.get(key) or Standing(key, info.item, (), since)
            found[key] = known._replace(series=tuple(dict.fromkeys((*known.series, info.id)))[:20])
        for key, standing in found.items():
            if key not in self._told:
                yield standing
        for key in [k for k in self._told if k not in found]:
            yield self._told[key]._replace(active=False)
        self._told = found

    def remember(self, standing: Standing) -> None:
        """Take for told what a living alert says was told."""
        self._told.setdefault(standing.key, standing)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        series = self.stuck.series.view(np.uint8).reshape(-1).copy()
        return {"version": VERSION, "series": series, "told": [list(t) for t in self._told.values()]}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take back a snapshot; nothing, when it is of another version."""
        if state is None or state["version"] != VERSION:
            return
        self.stuck.series = np.frombuffer(np.asarray(state["series"], np.uint8).tobytes(), STATE).copy()
        for key, item, series, since_ms, active in state["told"]:
            self._told[key] = Standing(key, item, tuple(series), since_ms, active)
