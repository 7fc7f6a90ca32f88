"""24 hours ahead on the KPIs, as means of hours: the mean absolute error of several forecasts a series, in units of the mean
change from one day to the next (MASE, Hyndman and Koehler 2006); mean over the series. Less is better."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged import Figure

Array = NDArray[np.float64]
Forecaster = Callable[[Array], Array]  # hours known in, the next 24 out
DAY, ORIGINS, LEAST = 24, 4, 10 * 24
PACKAGE = "watchkeeper.analysis.forecasts"


def seasonal_naive(known: Array) -> Array:
    """What was 24 hours before."""
    return known[-DAY:]


def ours(known: Array) -> Array:
    """The live method."""
    from watchkeeper.analysis import forecasts

    periods = forecasts.seasons(known, 3600.0)
    return np.asarray(forecasts.forecast(known, DAY, periods=periods).median)


def hours(path: Path) -> Array:
    """Means of hours; gaps of up to a day are filled with the hour of the day before."""
    z = np.load(path)
    row = (z["timestamp"] - z["timestamp"][0]) // 3600
    count = np.bincount(row)
    values = np.where(count > 0, np.bincount(row, weights=z["value"]) / np.maximum(count, 1), np.nan)
    for i in np.flatnonzero(np.isnan(values)):
        values[i] = values[i - DAY] if i >= DAY else np.nanmean(values)
    return values[: len(values) - 1]  # the last hour may not be over


def error(values: Array, forecaster: Forecaster) -> float:
    """MASE over evenly spread origins of the later half."""
    first, last = max(LEAST, len(values) // 2), len(values) - DAY
    errors = []
    for origin in np.linspace(first, last, ORIGINS).astype(int):
        known, came = values[:origin], values[origin : origin + DAY]
        unit = np.abs(known[DAY:] - known[:-DAY]).mean()
        errors.append(np.abs(forecaster(known) - came).mean() / max(unit, 1e-12))
    return float(np.mean(errors))


def figures(data: Path) -> Iterator[Figure]:
    """Both sets of KPIs."""
    if importlib.util.find_spec(PACKAGE) is None:
        return
    for folder in sorted(p for p in (data / "kpi").iterdir() if p.is_dir()):
        series = [v for p in sorted(folder.glob("*.npz")) if len(v := hours(p)) >= LEAST + 2 * DAY]
        mine, naive = (float(np.mean([error(v, how) for v in series])) for how in (ours, seasonal_naive))
        yield Figure(f"forecast/{folder.name}", "MASE 24 h (less is better)", mine, {"seasonal naive": naive})
