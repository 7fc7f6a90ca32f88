"""What was, will be: the value a season before, or the last one. The measure of every other forecaster (Hyndman and
Athanasopoulos, Forecasting: Principles and Practice, 5.2)."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.forecasts.history import Array, History, repeated


def seasonal_naive(history: History, steps: int) -> Array:
    """The last cycle of the longest season, over and over; without a season the last value.

    >>> seasonal_naive(History(np.array([1.0, 2, 3, 4, 5, 6]), (3,)), 4).tolist()
    [4.0, 5.0, 6.0, 4.0]
    """
    return _of(history, steps, -1)


def daily_naive(history: History, steps: int) -> Array:
    """As `seasonal_naive`, with the shortest season: yesterday instead of a week ago.

    >>> daily_naive(History(np.array([1.0, 2, 3, 4, 5, 6]), (2, 3)), 4).tolist()
    [5.0, 6.0, 5.0, 6.0]
    """
    return _of(history, steps, 0)


def _of(history: History, steps: int, which: int) -> Array:
    if not history.seasonal:
        return np.full(steps, history.whole[-1])
    return repeated(history.whole[-history.seasonal[which] :], steps)
