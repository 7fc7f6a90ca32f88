"""The error budget of an objective: what of it is spent, how fast it burns, and when it will be spent (Google, The Site
Reliability Workbook, chapter 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.crossing import Crossing, crossing

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Budget:
    """`left` of 1 (negative: overspent); `burn`: how many times as fast as the objective allows the budget goes now;
    `spent`: when nothing is left."""

    left: float
    burn: float
    spent: Crossing


def budget(
    ratios: Array,
    ahead: Array,
    levels: Array,
    *,
    objective: float,
    window: int,
    now: int = 0,
    level: float = 0.9,
) -> Budget:
    """`ratios` of errors, 0 to 1, a row each, NaN where nothing was asked (no error then); `ahead` their forecast (levels,
    steps); `objective` such as 0.999 over a rolling `window` of rows; `now` rows make the burn rate (an hour of the window
    of 30 days: window / 720). Raises ValueError for an objective that allows nothing or everything.

    >>> past, coming = np.full(60, 0.001), np.full((3, 60), 0.003)
    >>> b = budget(past, coming, np.array([0.05, 0.5, 0.95]), objective=0.999, window=100)
    >>> round(b.left, 2), round(b.burn, 2), round(b.spent.median)
    (0.4, 1.0, 13)
    """
    if not 0 < objective < 1:
        raise ValueError("an objective lies between 0 and 1")
    allowed = (1 - objective) * window
    past = _within(ratios, window)
    spent = float(past.sum())
    recent = past[-(now or max(1, window // 720)) :]
    reached = crossing(
        levels, spent_ahead(ratios, ahead, levels, window), allowed, spent, level=level, falls=False
    )
    return Budget(1 - spent / allowed, float(recent.mean()) / (1 - objective), reached)


def spent_ahead(ratios: Array, ahead: Array, levels: Array, window: int) -> Array:
    """What will be spent of the rolling window at each step ahead, in rows of errors, for each quantile (levels, steps)."""
    past = _within(ratios, window)
    leaves = np.cumsum(past)[: ahead.shape[1]]
    if ahead.shape[1] > window:
        leaves = np.r_[leaves, np.full(ahead.shape[1] - window, past.sum())]
    middle = np.interp(0.5, levels, np.arange(len(levels)))
    return np.asarray(float(past.sum()) + _summed(np.clip(ahead, 0, 1), window, int(middle)) - leaves)


def _within(ratios: Array, window: int) -> Array:
    past = np.nan_to_num(ratios)[-window:]
    return np.asarray(np.r_[np.zeros(window - len(past)), past])


def _summed(ahead: Array, window: int, middle: int) -> Array:
    """Quantiles of the sums of the last `window` steps. Errors of the forecast go together for a while and then do not: the
    sum strays between the sum of all and the root of the squares; we take their mean, which is rather too wide."""
    base = ahead[middle]
    off = ahead - base
    whole = _rolling(np.tile(base, (len(ahead), 1)), window)
    together = _rolling(off, window)
    apart = np.sign(off) * np.sqrt(_rolling(off**2, window))
    return np.asarray(whole + (together + apart) / 2)


def _rolling(x: Array, window: int) -> Array:
    total = np.cumsum(x, axis=1)
    total[:, window:] = total[:, window:] - total[:, :-window]
    return np.asarray(total)
