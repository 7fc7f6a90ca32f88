"""Detectors: streams of points in, scores in [0, 1] out, many series at a time; one idea a file.

`bank.Bank` is what the pipeline and `watchkeeper lab detect` use. All hold their state in arrays of fixed
size a series, know no clock, and give the same scores for the same points in the same order.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.reason import Reason


class Detector(Protocol):
    """Judges points of many series; a series is a slot, 0 to n - 1."""

    name: str
    version: str

    def grow(self, n: int, kinds: NDArray[np.int32] | None = None) -> None:
        """Make room for n series in all; `kinds` of the new ones (rates.py), by default to be learned."""
        ...

    def update(
        self, rows: NDArray[np.int64], times_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Scores of points (slot, Unix milliseconds, value) in the order given; NaN is a gap and scores 0."""
        ...

    def explain(self, slot: int) -> tuple[Reason, ...]:
        """Why the last point of a series has its score."""
        ...

    def state(self) -> dict[str, Any]:
        """What was learned, as plain data that `load` takes."""
        ...

    def load(self, state: dict[str, Any] | None) -> bool:
        """Take back what `state` gave; False, and nothing changed, when it is of another version."""
        ...
