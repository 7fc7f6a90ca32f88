"""How good a forecast would have been: made again at points of the past from what was known there, and held against what
came. MASE (Hyndman and Koehler 2006), pinball loss and CRPS (Gneiting and Raftery 2007), and how often the truth was
inside the band."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Errors(NamedTuple):
    """`mase`: the mean error in units of the usual error of the seasonal naive forecast one season ahead; `crps`: twice the
    mean pinball loss over the levels, in the same units; `coverage`: how often the truth lay inside the band;
    `points`: values compared."""

    mase: float
    crps: float
    coverage: float
    points: int


def origins(rows: int, steps: int, most: int, least: int) -> list[int]:
    """Numbers of rows that are known when a forecast is made: up to `most`, at least `least`, spread over the later half, at
    uneven distances so that they do not always fall at the same time of the day.

    >>> origins(100, 10, 4, 8)
    [50, 64, 74, 90]
    """
    first, last = max(least, rows // 2), rows - max(1, steps)
    if last < first:
        return []
    count = min(most, last - first + 1)
    if count == 1:
        return [last]
    apart = (last - first) / (count - 1)
    jitter = [0.0, *((i * 0.618034) % 1 * 0.6 - 0.3 for i in range(1, count - 1)), 0.0]
    return sorted({int(first + apart * (i + j)) for i, j in enumerate(jitter)})


def pinball(actual: Array, quantiles: Array, levels: Array) -> Array:
    """The loss of each quantile (levels, steps).

    >>> pinball(np.array([2.0]), np.array([[1.0], [3.0]]), np.array([0.1, 0.9])).round(3).tolist()
    [[0.1], [0.1]]
    """
    off = actual[None, :] - quantiles
    return np.asarray(np.maximum(levels[:, None] * off, (levels[:, None] - 1) * off))


def scale(values: Array, period: int) -> float:
    """The mean difference from the value a season (else a row) before: what errors are measured in."""
    off = np.abs(values[max(period, 1) :] - values[: -max(period, 1)])
    off = off[np.isfinite(off)]
    return float(off.mean()) if len(off) else 0.0


def backtest(
    values: Array, steps: int, levels: Array, make: Callable[[Array, int], Array], *, period: int = 0, most: int = 6,
    band: tuple[float, float] = (0.05, 0.95),
) -> Errors:  # fmt: skip
    """Errors of `make(history, steps)`, which gives quantiles (levels, steps), from up to `most` points of the later half.
    `band`: the levels between which the truth should lie."""
    losses, errors, inside = [], [], []
    middle = int(np.argmin(np.abs(levels - 0.5)))
    for origin in origins(len(values), steps, most, 8):
        actual = values[origin : origin + steps]
        known = np.isfinite(actual)
        unit = scale(values[:origin], period)
        if not known.any() or unit <= 0:
            continue
        quantiles = make(values[:origin], steps)[:, : len(actual)][:, known]
        losses.append(pinball(actual[known], quantiles, levels).mean(axis=0) / unit)
        errors.append(np.abs(actual[known] - quantiles[middle]) / unit)
        low, high = (quantiles[int(np.argmin(np.abs(levels - edge)))] for edge in band)
        inside.append((actual[known] >= low) & (actual[known] <= high))
    if not errors:
        return Errors(float("nan"), float("nan"), float("nan"), 0)
    every = np.concatenate(errors)
    return Errors(float(every.mean()), 2 * float(np.concatenate(losses).mean()),
                  float(np.concatenate(inside).mean()), len(every))  # fmt: skip
