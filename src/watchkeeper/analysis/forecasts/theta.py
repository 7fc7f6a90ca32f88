"""The Theta method (Assimakopoulos and Nikolopoulos 2000), winner of the M3 competition, in the form of Hyndman and Billah
(2003): simple exponential smoothing with half the slope of the trend, here the robust one."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.compiled import compiled
from watchkeeper.analysis.forecasts.drift import slope
from watchkeeper.analysis.forecasts.history import Array, History, stretched

ALPHAS = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])


@compiled
def smoothed(y: Array, alphas: Array) -> tuple[float, float]:
    """The last level of simple exponential smoothing, with that alpha of these whose steps ahead had the least absolute
    error; and that alpha."""
    best, level_of_best, chosen = np.inf, y[-1], alphas[0]
    for alpha in alphas:
        level, error = y[0], 0.0
        for i in range(1, len(y)):
            off = y[i] - level
            error += abs(off)
            level += alpha * off
        if error < best:
            best, level_of_best, chosen = error, level, alpha
    return level_of_best, chosen


def theta(history: History, steps: int) -> Array:
    """The level goes on with half its growth.

    >>> theta(History(np.arange(40.0)), 2).round(1).tolist()
    [39.4, 39.9]
    """
    y, width = history.coarse(steps)
    level, alpha = smoothed(y, ALPHAS)
    ahead = np.arange(1.0, steps // width + 2)
    line = level + 0.5 * slope(y) * (ahead - 1 + 1 / alpha * (1 - (1 - alpha) ** len(y)))
    return stretched(line, width, steps, level) + history.ahead(steps)
