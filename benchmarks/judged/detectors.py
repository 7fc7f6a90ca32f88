"""Detectors to judge: rows of one series in, a score a row out. Ours is the live bank; the others are the simple methods
that are run beside it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.bank import Bank

Array = NDArray[np.float64]
Scores = Callable[[NDArray[np.int64], Array], Array]  # times in Unix seconds, values
DAYS = 7


def ours(times: NDArray[np.int64], values: Array) -> Array:
    """The default bank over one series."""
    bank = Bank()
    bank.grow(1)
    return bank.update(np.zeros(len(values), np.int64), times * 1000, values)


def windowed_gaussian(times: NDArray[np.int64], values: Array) -> Array:
    """NAB's: how unlikely a value is under a normal distribution of the last 6,400, renewed every 100 rows."""
    del times
    scores = np.zeros(len(values))
    mean, deviation = float(values[0]), 1e-6
    for i, x in enumerate(values):
        if i and i % 100 == 0:
            seen = values[max(0, i - 6400) : i]
            mean, deviation = float(seen.mean()), max(float(seen.std()), 1e-6)
        scores[i] = 1.0 - 0.5 * math.erfc(abs(x - mean) / deviation / math.sqrt(2))
    return scores


def seasonal_median(times: NDArray[np.int64], values: Array) -> Array:
    """Distance from the median of the same time on the seven days before, in units of what 99 % of the
    distances of a week stay below."""
    step = int(np.median(np.diff(times)))
    day = max(1, 86_400 // step)
    row = (times - times[0]) // step
    grid = np.full(int(row[-1]) + 1, np.nan)
    grid[row] = values
    past = np.full((DAYS, len(grid)), np.nan)
    for n in range(1, DAYS + 1):
        past[n - 1, n * day :] = grid[: -n * day] if n * day < len(grid) else np.empty(0)
    usual = np.where(np.isfinite(past).any(axis=0), _median(past), grid)
    off = np.abs(np.nan_to_num(grid - usual))
    scale = np.full(len(grid), np.inf)
    level = np.abs(np.nan_to_num(grid))
    for i in range(day, len(grid), 60):
        week = off[max(0, i - DAYS * day) : i]
        scale[i : i + 60] = max(np.quantile(week, 0.99), 0.01 * np.median(level[i - day : i]), 1e-9)
    return np.asarray((off / scale)[row])


def _median(past: Array) -> Array:
    ordered = np.sort(past, axis=0)  # gaps last
    count = np.isfinite(past).sum(axis=0)
    columns = np.arange(past.shape[1])
    low, high = (
        ordered[np.maximum(k, 0), columns] for k in ((count - 1) // 2, np.minimum(count // 2, DAYS - 1))
    )
    return np.asarray((low + high) / 2)
