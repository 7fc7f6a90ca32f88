"""Holt's smoothing of level and trend, the trend damped (Gardner and McKenzie 1985), with errors held back before they
change anything (Gelper, Fried, Croux 2010), so that one wild row tilts nothing."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.compiled import compiled
from watchkeeper.analysis.forecasts.history import Array, History, stretched

_GRID = np.array(
    [(a, b, phi) for a in (0.1, 0.3, 0.6, 0.9) for b in (0.03, 0.1, 0.3) for phi in (0.8, 0.9, 0.98)]
)
HOLD = 3.0  # times the usual error


@compiled
def holt(y: Array, grid: Array) -> tuple[float, float, float]:
    """Level, trend and damping after the last row, by the parameters with the least absolute error three steps ahead."""
    best, out = np.inf, (y[-1], 0.0, 0.0)
    for k in range(len(grid)):
        a, b, phi = grid[k]
        level, trend, error = y[0], 0.0, 0.0
        usual = 0.0
        for i in range(1, len(y)):
            damped = phi * trend
            if i + 2 < len(y):
                error += abs(y[i + 2] - level - damped * (1 + phi + phi * phi))
            off = y[i] - level - damped
            if i > 8 and abs(off) > HOLD * usual:
                off = HOLD * usual if off > 0 else -HOLD * usual
                usual *= 1.1  # what keeps coming is no outlier
            usual += (abs(off) * 1.25 - usual) * (0.1 if i > 10 else 1.0 / i)
            before = level
            level += damped + a * off
            trend = damped + b * (level - before - damped)
        if error < best:
            best, out = error, (level, trend, phi)
    return out


def damped(history: History, steps: int) -> Array:
    """The level goes on with its trend of late, less and less.

    >>> damped(History(np.arange(60.0)), 2).round(0).tolist()
    [60.0, 61.0]
    """
    y, width = history.coarse(steps)
    level, trend, phi = holt(y, _GRID)
    ahead = np.arange(1, steps // width + 2)
    far = float(np.ptp(y))  # no trend of late carries further than the series ever went
    line = level + np.clip(trend * np.cumsum(phi**ahead), -far, far)
    return stretched(line, width, steps, level) + history.ahead(steps)
