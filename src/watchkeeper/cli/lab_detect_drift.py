"""Drifts of the series of a file, said where they begin and where they are over: what --explain adds, as the live stage
tells it, for values without a unit. Scores of rows do not change by it, as no row of a drift is odd."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.drift import Drift
from watchkeeper.analysis.stages.detect_words import worth_of_drift


class Drifts:
    """The detector over the series of a file, a row at a time."""

    def __init__(self, names: list[str]) -> None:
        self._names, self._slots = names, np.arange(len(names))
        self._drift = Drift()
        self._drift.grow(len(names))
        self._told: set[int] = set()

    def because(self, time_ms: int, values: NDArray[np.float64]) -> str:
        """Take a row (Unix milliseconds; a value a series, NaN for a gap): which drifts begin to be worth words with it, and
        which are over."""
        self._drift.update(self._slots, np.full(len(values), time_ms), values)
        ways = self._drift.ways(self._slots)
        if not self._told and not ways.any():
            return ""
        return " ".join(filter(None, (self._of(slot) for slot in self._slots.tolist())))

    def _of(self, slot: int) -> str:
        found = self._drift.found(slot)
        if not found.way and slot in self._told:
            self._told.remove(slot)
            return self._named(slot, "The drift is over.")
        if not found.way or slot in self._told or not worth_of_drift("", False, found.before, found.now):
            return ""
        self._told.add(slot)
        return self._named(slot, self._drift.explain(slot)[0].text)

    def _named(self, slot: int, text: str) -> str:
        return f"{self._names[slot]}: {text}" if len(self._names) > 1 else text
