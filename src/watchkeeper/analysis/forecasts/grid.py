"""Samples as they came become rows at equal distances, which is what the forecasters take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOST = 65_536  # rows of history that are used: 45 days of minutes


class Grid(NamedTuple):
    """`values[i]` is what was measured at `start + i * step` (seconds); NaN where nothing was."""

    start: float
    step: float
    values: Array

    @property
    def end(self) -> float:
        """When the last row is, in seconds."""
        return self.start + (len(self.values) - 1) * self.step


def distance(times: Array) -> float:
    """The usual distance between samples in seconds: the median of what lies between different times; 1 with fewer
    than two."""
    apart = np.diff(np.unique(times))
    return float(np.median(apart)) if len(apart) else 1.0


def regular(times: Array, values: Array, step: float = 0.0, most: int = MOST) -> Grid:
    """The last `most` rows of samples in any order, at equal distances: `step` seconds, or the usual one. Several samples
    of one row become their mean.

    >>> g = regular(np.array([0.0, 60, 61, 180]), np.array([1.0, 2, 4, 5]), step=60)
    >>> g.values.tolist(), g.end
    ([1.0, 3.0, nan, 5.0], 180.0)
    """
    known = np.isfinite(values) & np.isfinite(times)
    if not known.any():
        return Grid(0.0, step or 1.0, np.empty(0))
    times, values = times[known], values[known]
    step = step or distance(times)
    end = float(times.max())
    back = np.rint((end - times) / step).astype(np.int64)
    recent = back < most
    place = int(back[recent].max()) - back[recent]
    rows = int(place.max()) + 1
    counts = np.bincount(place, minlength=rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(place, weights=values[recent], minlength=rows) / counts
    return Grid(end - (rows - 1) * step, step, np.where(counts > 0, means, np.nan))
