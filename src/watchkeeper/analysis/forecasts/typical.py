"""The median of the last cycles at the same time of the season: one odd day changes nothing. Without a season, the median
of what was lately."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.forecasts.history import Array, History, repeated

CYCLES = {0: 7, 1: 4}  # of the shorter season, of the longer one


def typical(history: History, steps: int) -> Array:
    """Of the longest season of which three cycles are there, the last ones; else of the horizon's length.

    >>> typical(History(np.array([1.0, 2, 9, 9, 1, 2, 1, 2]), (2,)), 3).tolist()
    [1.0, 2.0, 1.0]
    """
    x = history.whole
    for number, period in reversed(list(enumerate(history.seasonal))):
        whole = min(len(x) // period, CYCLES[number])
        if whole >= 3 or number == 0:
            cycles = x[len(x) - whole * period :].reshape(whole, period)
            return repeated(np.median(cycles, axis=0), steps)
    return np.full(steps, np.median(x[-max(3, steps) :]))
