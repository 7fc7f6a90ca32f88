"""Time to full: what hours of measurements say about when a limit is reached. Never from too little, and never further
ahead than three times as far as was looked back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.bounds import bounds_of
from watchkeeper.analysis.forecasts.combine import Forecast, forecast
from watchkeeper.analysis.forecasts.crossing import crossing
from watchkeeper.analysis.forecasts.drift import slope
from watchkeeper.analysis.forecasts.history import History
from watchkeeper.analysis.forecasts.seasons import seasons
from watchkeeper.analysis.forecasts.shifts import spliced
from watchkeeper.model.outlook import Line, Outlook
from watchkeeper.model.spelled import span

Array = NDArray[np.float64]
HOUR, DAY = 3600.0, 86_400.0
LEAST_SPAN = 2 * DAY  # seconds between the first and the last value
LEAST_KNOWN = 36  # hours of these with a value
FARTHEST = 90 * DAY
FURTHER = 3  # times as far ahead as back
POINTS = 160  # of a line of the chart


def outlook(values: Array, limit: float, share: bool = False, *, level: float = 0.9) -> Outlook:
    """`values`: an hour each, NaN where nothing was measured, the last one known.

    >>> o = outlook(np.linspace(0.5, 0.8, 240), 1.0, share=True)
    >>> round(o.median / 86400, 1), round(o.grew, 2)
    (6.7, 0.03)
    >>> outlook(np.linspace(0.5, 0.8, 5), 1.0).why
    'It has been measured for 4 hours; 2 days are needed, with values in at least 36 of the hours.'
    """
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return Outlook(float("nan"), limit, why="Nothing was measured.")
    values = values[known[0] : known[-1] + 1]
    now, back = float(values[-1]), (len(values) - 1) * HOUR
    if back < LEAST_SPAN or len(known) < LEAST_KNOWN:
        return Outlook(now, limit, why=_too_little(back, len(known)))
    steps = int(min(FARTHEST, FURTHER * back) / HOUR)
    periods = seasons(values, HOUR)
    found = forecast(values, steps, periods=periods, bounds=bounds_of(values, share))
    reached = crossing(found.levels, found.quantiles, limit, now, level=level, falls=False)
    lately = spliced(History(values, periods).level[-14 * 24 :])
    earliest, median, latest = (
        None if x is None else x * HOUR for x in (reached.earliest, reached.median, reached.latest)
    )
    methods = tuple(n for n, w in (found.weights or {}).items() if w >= 0.1)
    return Outlook(
        now, limit, "", earliest, median, latest, steps * HOUR, level, slope(lately) * 24,
        tuple(p * HOUR for p in found.periods), methods, found.tried, _finite(found.error), _finite(found.naive_error),
        _past(values), _ahead(found, level, _shown(steps, len(values), median)),
    )  # fmt: skip


def _too_little(back: float, known: int) -> str:
    needed = f"{span(LEAST_SPAN)} are needed, with values in at least {LEAST_KNOWN} of the hours."
    if back < LEAST_SPAN:
        return f"It has been measured for {span(back)}; {needed}"
    return f"There are values of only {known} hours; {needed}"


def _shown(steps: int, rows: int, median: float | None) -> int:
    """Steps that a chart shows: past the limit if that is to be seen, else as far ahead as back."""
    wanted = rows if median is None else int(1.25 * median / HOUR)
    return int(min(steps, max(wanted, 48)))


def _past(values: Array) -> Line:
    pieces = np.array_split(np.arange(len(values)), min(len(values), POINTS))
    with np.errstate(invalid="ignore"):
        means = [float(np.mean(x[np.isfinite(x)])) if np.isfinite(x).any() else None
                 for x in (values[p] for p in pieces)]  # fmt: skip
    at = [float((p[-1] - len(values) + 1) * HOUR) for p in pieces]
    there = [(a, v) for a, v in zip(at, means, strict=True) if v is not None]
    return Line(tuple(a for a, _ in there), tuple(v for _, v in there))


def _ahead(found: Forecast, level: float, shown: int) -> Line:
    steps = np.unique(np.linspace(1, shown, min(shown, POINTS)).astype(int))
    paths = (found.at(p)[steps - 1].tolist() for p in (0.5, 0.5 - level / 2, 0.5 + level / 2))
    middle, lower, upper = (tuple(p) for p in paths)
    return Line(tuple((steps * HOUR).tolist()), middle, lower, upper)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
