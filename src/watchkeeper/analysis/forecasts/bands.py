"""How far off the forecasts of this very series were, by how far ahead they looked, makes the bands: quantiles of the
errors of a backtest, as in split conformal prediction (Vovk, Gammerman, Shafer 2005; for series Stankevičiūtė, Alaa, van
der Schaar 2021). Steps further ahead than the backtest could look get bands that go on widening as they did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NEAR = 0.6  # errors of steps from this part of a step to its inverse count as of this step
ERRORS = 60  # about as many as are wanted for a quantile


def bands(errors: Array, levels: Array, steps: int) -> Array:
    """Offsets (levels, steps) from the forecast. `errors` (origins, steps looked ahead) are actual less forecast, NaN where
    nothing is known.

    >>> off = bands(np.tile([-1.0, 0.0, 1.0], 20).reshape(20, 3), np.array([0.05, 0.5, 0.95]), 3)
    >>> off.shape, bool((off[0] <= off[1]).all()), bool((off[1] <= off[2]).all())
    ((3, 3), True, True)
    """
    seen = errors.shape[1]
    at = _marks(seen)
    found = np.array([_quantiles(errors, step, levels) for step in at]).reshape(len(at), len(levels))
    found = _widening(found, levels)
    ahead = np.arange(1, steps + 1)
    out = np.array([np.interp(np.log(ahead), np.log(at), column) for column in found.T])
    beyond = ahead > seen
    if beyond.any():
        grows = _growth(at, found)
        out[:, beyond] = found[-1][:, None] * (ahead[beyond] / seen) ** grows
    return out


def _marks(seen: int) -> Array:
    """Steps ahead at which quantiles are taken: 1, and then each about a third more than the last."""
    marks = np.unique(np.rint(np.geomspace(1, seen, max(2, int(np.log(seen + 1) / np.log(1.35)) + 1))))
    return np.asarray(marks[marks >= 1], dtype=float)


def _quantiles(errors: Array, step: float, levels: Array) -> Array:
    """Of the errors around this step; a little outside for want of more (the n + 1 of conformal prediction)."""
    low, high = int(np.floor(step * NEAR)), int(np.ceil(step / NEAR))
    near = errors[:, max(low - 1, 0) : high]
    flat = near[np.isfinite(near)]
    if len(flat) < 3:
        flat = errors[np.isfinite(errors)]
    if not len(flat):
        return np.zeros(len(levels))
    count = min(len(flat), ERRORS)  # errors of one origin resemble each other
    wide = 0.5 + (levels - 0.5) * (count + 1) / count
    return np.asarray(np.quantile(flat, np.clip(wide, 0, 1)))


def _widening(found: Array, levels: Array) -> Array:
    """What is far off is not known better than what is near: distances from the median do not shrink."""
    middle = np.array([np.interp(0.5, levels, row) for row in found])[:, None]
    off = found - middle
    upper = np.maximum.accumulate(np.maximum(off, 0), axis=0)
    lower = np.minimum.accumulate(np.minimum(off, 0), axis=0)
    return np.asarray(middle + np.where(levels >= 0.5, upper, lower))


def _growth(at: Array, found: Array) -> float:
    """By which power of the steps ahead the bands have widened, between none and straight."""
    width = found[:, -1] - found[:, 0]
    good = width > 0
    if good.sum() < 2:
        return 0.5
    fit = np.polyfit(np.log(at[good]), np.log(width[good]), 1)[0]
    return float(np.clip(fit, 0.25, 1.0))
