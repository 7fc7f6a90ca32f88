"""It goes on growing as it grew: a straight line from now, its slope the median of the slopes between all pairs (Theil
1950, Sen 1968), which a third of wild points leaves as it is. Lasting jumps are taken out before: a disk that was
cleaned fills as it filled before."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.history import Array, History

LEAST = 8  # rows that make a slope
POINTS = 64  # pieces between which slopes are taken


def slope(y: Array) -> float:
    """Growth a row; none is seen in fewer rows than LEAST.

    >>> y = np.arange(100.0) * 2
    >>> y[10:30] = 500
    >>> slope(y)
    2.0
    """
    if len(y) < LEAST:
        return 0.0
    width = max(1, len(y) // POINTS)
    whole = len(y) // width
    values = np.median(y[len(y) - whole * width :].reshape(whole, width), axis=1)
    i, j = _pairs(whole)
    return float(np.median((values[j] - values[i]) / ((j - i) * width)))


@cache
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(count, 1)


def drift(history: History, steps: int) -> Array:
    """With the growth of all of the history.

    >>> drift(History(np.r_[np.arange(50.0), np.arange(50.0)]), 3).round(6).tolist()
    [50.0, 51.0, 52.0]
    """
    return _line(history, steps, 1)


def late_drift(history: History, steps: int) -> Array:
    """With the growth of the last fifth.

    >>> late_drift(History(np.r_[np.zeros(100), np.arange(40.0)]), 2).round(6).tolist()
    [40.0, 41.0]
    """
    return _line(history, steps, 5)


def _line(history: History, steps: int, part: int) -> Array:
    y, width = history.coarse(steps)
    grows = slope(y[-max(8, len(y) // part) :])
    few = y[-3:]
    now = float(np.median(few - grows * np.arange(1 - len(few), 1)))
    middle = (width - 1) / 2  # rows from the middle of the last stretch to now
    return now + grows / width * (np.arange(1, steps + 1) + middle) + history.ahead(steps)
