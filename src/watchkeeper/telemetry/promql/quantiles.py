"""A quantile of values in order, as Prometheus interpolates it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchkeeper.telemetry.promql.values import Floats, Whole


def of_ranks(q: Floats, n: Whole, ranked: Callable[[Whole], Floats]) -> Floats:
    """The quantile `q` of each of many groups of `n` ≥ 1 values; `ranked` gives of each group the value at a place in
    its order.

    >>> of_ranks(np.array([0.5, 2.0]), np.array([2, 2]), lambda i: np.array([10.0, 20.0])[i]).tolist()
    [15.0, inf]
    """
    rank = np.where((q >= 0) & (q <= 1), q, 0.0) * (n - 1)
    low = np.maximum(0, np.floor(rank)).astype(np.int64)
    high = np.minimum(n - 1, low + 1)
    weight = rank - np.floor(rank)
    found = ranked(low) * (1 - weight) + ranked(high) * weight
    return np.where(np.isnan(q), np.nan, np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found)))
