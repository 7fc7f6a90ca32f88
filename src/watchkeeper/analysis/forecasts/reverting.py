"""It comes back to what is usual: the season around the level of the last cycle, and what is off from it now dies away as
it did before (an autoregression of order one on what the seasons leave: Box and Jenkins 1970)."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.forecasts.history import Array, History, stretched

LEAST = 32  # rows that make a level


def reverting(history: History, steps: int) -> Array:
    """Level and season, and of what is off now the part that usually remains.

    >>> x = np.tile([1.0, 2, 3, 2], 30)
    >>> reverting(History(x, (4,)), 4).round(1).tolist()
    [1.0, 2.0, 3.0, 2.0]
    """
    y, width = history.coarse(steps)
    lately = y[-max(LEAST, 2 * (history.seasonal[-1] // width if history.seasonal else LEAST)) :]
    level = float(np.median(lately))
    off = lately - level
    spread = float(np.median(np.abs(off))) * 1.4826
    held = np.clip(off, -4 * spread, 4 * spread) if spread > 0 else off
    size = float(held[:-1] @ held[:-1])
    remains = min(max(float(held[1:] @ held[:-1]) / size, 0.0), 0.999) if size > 0 else 0.0
    ahead = np.arange(1, steps // width + 2)
    return stretched(level + held[-1] * remains**ahead, width, steps, level + held[-1]) + history.ahead(steps)
