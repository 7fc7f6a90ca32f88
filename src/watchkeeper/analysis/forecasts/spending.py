"""When an error budget will be spent: what hours of errors say. Never from too little, and never further ahead than three
times as far as was looked back."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.forecasts.bounds import bounds_of
from watchkeeper.analysis.forecasts.budget import Array, budget, spent_ahead
from watchkeeper.analysis.forecasts.combine import forecast
from watchkeeper.analysis.forecasts.crossing import between
from watchkeeper.analysis.forecasts.outlook import FURTHER, HOUR, LEAST_KNOWN, LEAST_SPAN, POINTS
from watchkeeper.analysis.forecasts.seasons import seasons
from watchkeeper.model.outlook import Line, Outlook
from watchkeeper.model.spelled import span


def spending(
    errors: Array, objective: float, window: int, horizon: int = 0, *, level: float = 0.9
) -> Outlook:
    """`errors`: a row an hour, its errors as a share of what is asked for in an hour, NaN where nothing was; `objective`
    such as 0.999 over `window` hours, of which these are the last, or the first when the window ends in `horizon` hours.
    Of the outlook `now` is the share of the budget that is spent, and the limit 1.

    >>> o = spending(np.full(240, 0.002), 0.999, 720)
    >>> round(o.now, 2), round(o.median / 86400)
    (0.67, 5)
    >>> spending(np.full(5, 0.002), 0.999, 720).why
    'It has been measured for 4 hours; 2 days are needed.'
    """
    known = np.flatnonzero(np.isfinite(errors))
    allowed = (1 - objective) * window
    now = float(np.nansum(errors[-window:])) / allowed
    rows = errors[known[0] :] if len(known) else errors[:0]
    back = max(0, len(rows) - 1) * HOUR
    if back < LEAST_SPAN or len(known) < LEAST_KNOWN:
        return Outlook(now, 1.0, why=f"It has been measured for {span(back)}; {span(LEAST_SPAN)} are needed.")
    steps = max(1, int(min(FURTHER * back / HOUR, horizon or window)))
    found = forecast(rows, steps, periods=seasons(rows, HOUR), bounds=bounds_of(rows, True))
    spent = budget(
        errors, found.quantiles, found.levels, objective=objective, window=window, level=level
    ).spent
    earliest, median, latest = (
        None if x is None else x * HOUR for x in (spent.earliest, spent.median, spent.latest)
    )
    paths = spent_ahead(errors, found.quantiles, found.levels, window) / allowed
    return Outlook(
        now, 1.0, "", earliest, median, latest, steps * HOUR, level,
        ahead=_line(paths, found.levels, steps, level),
    )  # fmt: skip


def _line(paths: Array, levels: Array, steps: int, level: float) -> Line:
    at = np.unique(np.linspace(1, steps, min(steps, POINTS)).astype(int))
    middle, lower, upper = (
        tuple(between(levels, paths, p)[at - 1].tolist()) for p in (0.5, 0.5 - level / 2, 0.5 + level / 2)
    )
    return Line(tuple((at * HOUR).tolist()), middle, lower, upper)
