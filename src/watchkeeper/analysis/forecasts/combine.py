"""The forecast: every forecaster looks ahead from points of the past; those that were right there count more (Bates and
Granger 1969), by how far ahead; and the errors of what they say together make the bands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.backtest import origins
from watchkeeper.analysis.forecasts.bands import bands
from watchkeeper.analysis.forecasts.bounds import Bounds, bounds_of
from watchkeeper.analysis.forecasts.crossing import between
from watchkeeper.analysis.forecasts.damped import damped
from watchkeeper.analysis.forecasts.drift import drift, late_drift
from watchkeeper.analysis.forecasts.history import History, repeated
from watchkeeper.analysis.forecasts.naive import daily_naive, seasonal_naive
from watchkeeper.analysis.forecasts.reverting import reverting
from watchkeeper.analysis.forecasts.theta import theta
from watchkeeper.analysis.forecasts.typical import typical

Array = NDArray[np.float64]
Forecaster = Callable[[History, int], Array]

FORECASTERS: Mapping[str, Forecaster] = {
    "seasonal naive": seasonal_naive, "daily naive": daily_naive, "typical": typical, "drift": drift,
    "late drift": late_drift, "theta": theta, "damped": damped, "reverting": reverting,
}  # fmt: skip
LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
LEAST = 12  # rows without which nothing was ever tried
ORIGINS = 16
SHARP = 3.0  # how much more the better ones count: weights go with the error to this power
ROOT = 0.5  # below 1: points of the past with large errors for all count less than in the mean
SHARE = 3  # the backtest looks ahead at most this part of the history


@dataclass(frozen=True)
class Forecast:
    """`quantiles[k, j]`: below it is the value of step j + 1 with probability `levels[k]`. `weights` of the forecasters at
    the end of the horizon, `error` the mean absolute error of the backtest and `naive_error` that of the seasonal naive
    forecast in it (NaN when the history is too short for one), `tried` the points of the past it was made from."""

    levels: Array
    quantiles: Array
    periods: tuple[int, ...] = ()
    weights: Mapping[str, float] | None = None
    error: float = float("nan")
    naive_error: float = float("nan")
    tried: int = 0

    def at(self, level: float) -> Array:
        """The quantiles of a level, between those that there are."""
        return between(self.levels, self.quantiles, level)

    @property
    def median(self) -> Array:
        """As likely above as below."""
        return self.at(0.5)


def forecast(
    values: Array, steps: int, *, periods: tuple[int, ...] = (), bounds: Bounds | None = None, levels: Array = LEVELS,
    forecasters: Mapping[str, Forecaster] = FORECASTERS,
) -> Forecast:  # fmt: skip
    """What the next `steps` rows will be. `values` are at equal distances, NaN where nothing was measured; `periods` as
    `seasons` finds them. Raises ValueError when no value is known.

    >>> f = forecast(np.arange(60.0), 3)
    >>> f.median.round(1).tolist()
    [60.0, 61.0, 62.0]
    """
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        raise ValueError("no value is known")
    silent = len(values) - 1 - int(known[-1])  # rows up to now of which nothing is known are forecast too
    values, late = values[known[0] : known[-1] + 1], steps + silent
    bounds = bounds or bounds_of(values)
    now = History(values, periods)
    tried = _try(values, late, periods, forecasters)
    weights = _weights(tried, late, len(forecasters))
    said = np.array([make(now, late) for make in forecasters.values()])
    middle = (weights * said).sum(axis=0)
    if tried is None:
        off = _unproven(values, levels, late)
        return Forecast(levels, bounds.keep(middle + off, values[-1])[:, silent:], now.seasonal)
    off = bands(tried.errors(weights), levels, late) * repeated(now.spread, late)
    quantiles = bounds.keep(np.sort(middle + off, axis=0), values[-1])[:, silent:]
    order = np.argsort(-weights[:, -1], kind="stable")
    names = list(forecasters)
    return Forecast(
        levels, quantiles, now.seasonal, {names[i]: float(weights[i, -1]) for i in order},
        _mean(np.abs(tried.raw(weights))), _mean(np.abs(tried.naive)), len(tried.actual),
    )  # fmt: skip


@dataclass(frozen=True)
class _Tried:
    """What was said in the past (forecasters, origins, steps) and what came (origins, steps), with the usual spread then."""

    said: Array
    actual: Array
    spread: Array
    naive: Array  # actual less the seasonal naive forecast

    def raw(self, weights: Array) -> Array:
        """Actual less what they say together."""
        together = np.einsum("fs,fos->os", weights[:, : self.actual.shape[1]], self.said)
        return np.asarray(self.actual - together)

    def errors(self, weights: Array) -> Array:
        """The same, in units of the spread at that time of the season."""
        return self.raw(weights) / self.spread


def _try(
    values: Array, steps: int, periods: tuple[int, ...], forecasters: Mapping[str, Forecaster]
) -> _Tried | None:
    """The forecasts of the past; None when the history is too short."""
    ahead = min(steps, max(1, len(values) // SHARE))
    least = max(LEAST, min(2 * max(periods, default=0) + 1, len(values) * 2 // 3))
    at = origins(len(values), max(1, ahead // 2), ORIGINS, least)
    at = [o for o in at if np.isfinite(values[o : o + ahead]).any()]
    if len(values) < LEAST or len(at) < 3:
        return None
    said = np.empty((len(forecasters), len(at), ahead))
    actual, spread = np.full((len(at), ahead), np.nan), np.ones((len(at), ahead))
    naive = np.empty((len(at), ahead))
    for k, origin in enumerate(at):
        then = History(values[:origin], periods)
        came = values[origin : origin + ahead]
        actual[k, : len(came)] = came
        spread[k] = repeated(then.spread, ahead)
        naive[k] = seasonal_naive(then, ahead)
        for i, make in enumerate(forecasters.values()):
            said[i, k] = make(then, ahead)
    return _Tried(said, actual, spread, actual - naive)


def _weights(tried: _Tried | None, steps: int, count: int) -> Array:
    """(forecasters, steps), each column adds to one. Untried, all count alike."""
    if tried is None:
        return np.full((count, steps), 1.0 / count)
    off = np.abs(tried.said - tried.actual)
    ahead = off.shape[2]
    edges = np.unique(np.r_[0, np.rint(np.geomspace(1, ahead, 6)).astype(int)])
    centres, rows = [], []
    overall = _typical(off)
    for begin, end in pairwise(edges.tolist()):
        part = off[:, :, begin:end]
        error = _typical(part) if np.isfinite(part).any() else overall
        error = 0.8 * error + 0.2 * overall
        better = (error / (overall.max() or 1.0) + 1e-9) ** -SHARP
        better[error > 2 * error.min()] *= 0.1
        rows.append(better / better.sum())
        centres.append((begin + end + 1) / 2)
    ahead_of = np.log(np.arange(1, steps + 1))
    return np.array([np.interp(ahead_of, np.log(centres), column) for column in np.array(rows).T])


def _typical(off: Array) -> Array:
    """The error of each forecaster (forecasters, origins, steps) from a typical point of the past: what nobody could know,
    such as a jump, says nothing about who is good."""
    known = np.isfinite(off).any(axis=(0, 2))
    by_origin = np.nanmean(off[:, known], axis=2)
    return np.asarray(np.mean(by_origin**ROOT, axis=1) ** (1 / ROOT))


def _unproven(values: Array, levels: Array, steps: int) -> Array:
    """Bands without a backtest: as a random walk with the steps so far would stray."""
    from statistics import NormalDist

    change = np.diff(values[np.isfinite(values)])
    size = float(np.sqrt(np.mean(change**2))) if len(change) else 0.0
    z = np.array([NormalDist().inv_cdf(float(p)) for p in levels])
    return z[:, None] * size * np.sqrt(np.arange(1, steps + 1))


def _mean(errors: Array) -> float:
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if len(known) else float("nan")
