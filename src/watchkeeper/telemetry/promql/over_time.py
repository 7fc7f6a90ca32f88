"""What samples of a window are together: the *_over_time functions. Each gives values and which of them are there,
[series, steps]."""

from __future__ import annotations

from functools import partial

import numpy as np

from watchkeeper.telemetry.promql.quantiles import of_ranks
from watchkeeper.telemetry.promql.rates import Found
from watchkeeper.telemetry.promql.values import Floats, Scalar, Whole
from watchkeeper.telemetry.promql.windows import Windows


def sum_(w: Windows) -> Found:
    """The sum."""
    return w.sum(w.samples.values), w.count > 0


def avg(w: Windows) -> Found:
    """The mean."""
    return w.sum(w.samples.values) / w.count, w.count > 0


def min_(w: Windows) -> Found:
    """The least; NaN only where there is nothing else."""
    return w.reduce(np.fmin, w.samples.values), w.count > 0


def max_(w: Windows) -> Found:
    """The greatest; NaN only where there is nothing else."""
    return w.reduce(np.fmax, w.samples.values), w.count > 0


def count(w: Windows) -> Found:
    """How many there are."""
    return w.count.astype(np.float64), w.count > 0


def last(w: Windows) -> Found:
    """The newest."""
    return w.last(w.samples.values), w.count > 0


def present(w: Windows) -> Found:
    """1 where there is any."""
    return np.ones(w.count.shape), w.count > 0


def stdvar(w: Windows) -> Found:
    """The variance of the population."""
    out = np.full(w.count.shape, np.nan)
    for part in w.gathered():
        filled = part.stretch.start + np.flatnonzero(w.count.ravel()[part.stretch])
        n = w.count.ravel()[filled]
        values = w.samples.values[part.at]
        apart = values - (part.sums(values) / n)[part.window]
        out.ravel()[filled] = part.sums(apart * apart) / n
    return out, w.count > 0


def stddev(w: Windows) -> Found:
    """The standard deviation of the population."""
    values, there = stdvar(w)
    return np.sqrt(values), there


def quantile(q: Scalar, w: Windows) -> Found:
    """The value below which a share of `q` lies, between two samples by a straight line."""
    out = np.full(w.count.shape, np.nan)
    shares: Floats = np.broadcast_to(q.values[None, :], w.count.shape).ravel()
    for part in w.gathered():
        filled = part.stretch.start + np.flatnonzero(w.count.ravel()[part.stretch])
        values = w.samples.values[part.at]
        # NaN counts as least, as in Prometheus.
        order = np.lexsort((np.where(np.isnan(values), -np.inf, values), part.window))
        ranked = values[order]
        out.ravel()[filled] = of_ranks(
            shares[filled], w.count.ravel()[filled], partial(_placed, ranked, part.starts)
        )
    return out, w.count > 0


def _placed(ranked: Floats, starts: Whole, places: Whole) -> Floats:
    """The value at a place of each window's order."""
    out: Floats = ranked[starts + places]
    return out
