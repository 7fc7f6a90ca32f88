"""What `watchkeeper lab forecast` says of one series."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.backtest import Errors, backtest
from watchkeeper.analysis.forecasts.bounds import bounds_of, is_share
from watchkeeper.analysis.forecasts.budget import budget
from watchkeeper.analysis.forecasts.combine import FORECASTERS, LEVELS, Forecast, forecast
from watchkeeper.analysis.forecasts.crossing import Crossing, crossing
from watchkeeper.analysis.forecasts.grid import regular
from watchkeeper.analysis.forecasts.naive import seasonal_naive
from watchkeeper.analysis.forecasts.seasons import seasons
from watchkeeper.model.spelled import span

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What is wanted of every series."""

    level: float
    quantiles: bool
    share: bool
    objective: float | None
    window: float  # seconds
    backtest: bool
    limits: dict[str, float]
    limit: float | None

    @property
    def levels(self) -> Array:
        """All quantiles that are needed."""
        return np.unique(np.round([*LEVELS, 0.5 - self.level / 2, 0.5 + self.level / 2], 6))

    def names(self) -> dict[str, float]:
        """Columns and their levels."""
        own = {"median": 0.5, "lower": 0.5 - self.level / 2, "upper": 0.5 + self.level / 2}
        more = {f"q{round(p * 100):02d}": float(p) for p in LEVELS if p != 0.5} if self.quantiles else {}
        return own | more


@dataclass(frozen=True)
class Foreseen:
    """The columns and rows of the output, and the summary."""

    name: str
    columns: list[str]
    rows: Array
    summary: dict[str, Any]


def foreseen(
    name: str, times: Array, values: Array, end: float, step: float, steps: int, asked: Asked
) -> Foreseen:
    """`times` in seconds, up to `end`; a series of which nothing is known gets blanks."""
    grid = regular(times, values, step)
    columns = asked.names()
    summary: dict[str, Any] = {"name": name, "known": int(np.isfinite(grid.values).sum()), "said": []}
    if not summary["known"]:
        summary["said"].append("nothing is known of it, so nothing is foreseen.")
        return Foreseen(name, list(columns), np.full((len(columns), steps), np.nan), summary)
    rows = np.r_[grid.values, np.full(max(0, round((end - grid.end) / step)), np.nan)]
    share = asked.share or is_share(name) or asked.objective is not None
    make = _maker(step, share, asked.levels, FORECASTERS)
    found = make(rows, steps)
    now = float(grid.values[np.isfinite(grid.values)][-1])
    summary |= _described(found, step, steps)
    limit = asked.limits.get(name, asked.limit)
    if limit is not None:
        reached = crossing(found.levels, found.quantiles, limit, now, level=asked.level)
        summary["threshold"] = {"limit": limit, "now": now, **_when(reached, step)}
        summary["said"].append(
            _sentence(f"reaches {limit:g}", summary["threshold"], steps * step, asked.level)
        )
    if asked.objective is not None:
        _add_budget(summary, rows, found, step, steps, asked)
    if asked.backtest:
        _add_backtest(summary, rows, step, steps, share, asked)
    if found.tried == 0:
        summary["said"].append("too few rows to try it on the past: the band is that of a random walk.")
    return Foreseen(name, list(columns), np.array([found.at(p) for p in columns.values()]), summary)


def _maker(step: float, share: bool, levels: Array, forecasters: Any) -> Callable[[Array, int], Forecast]:
    def make(rows: Array, steps: int) -> Forecast:
        return forecast(rows, steps, periods=seasons(rows, step), bounds=bounds_of(rows, share), levels=levels,
                        forecasters=forecasters)  # fmt: skip

    return make


def _described(found: Forecast, step: float, steps: int) -> dict[str, Any]:
    return {
        "seasons_seconds": [p * step for p in found.periods],
        "median_at_end": float(found.median[steps - 1]),
        "forecasters": {k: round(v, 4) for k, v in (found.weights or {}).items() if v >= 0.005},
        "tried": found.tried,
        "mean_error": _number(found.error),
        "mean_error_of_seasonal_naive": _number(found.naive_error),
    }


def _when(reached: Crossing, step: float) -> dict[str, Any]:
    """In seconds from the last row; null: not within the horizon."""
    within = {f"{k}_seconds": None if v is None else v * step for k, v in
              (("earliest", reached.earliest), ("median", reached.median), ("latest", reached.latest))}  # fmt: skip
    return {**within, "chance": round(reached.chance, 4)}


def _sentence(what: str, when: dict[str, Any], horizon: float, level: float) -> str:
    """What the summary says of a limit, in words."""
    early, middle, late = (when[f"{k}_seconds"] for k in ("earliest", "median", "latest"))
    if early == 0:
        return f"{what}: it is there already."
    if early is None:
        return f"{what}: not within the horizon of {span(horizon)}."
    upper = f"or later than {span(horizon)}" if late is None else f"to {span(late)}"
    about = f"in about {span(middle)}" if middle is not None else f"probably not within {span(horizon)}"
    return f"{what} {about} ({span(early)} {upper}, the band of {level:.0%})."


def _add_budget(
    summary: dict[str, Any], rows: Array, found: Forecast, step: float, steps: int, asked: Asked
) -> None:
    assert asked.objective is not None
    window = max(1, round(asked.window / step))
    left = budget(rows, found.quantiles, found.levels, objective=asked.objective, window=window, level=asked.level,
                  now=max(1, round(3600 / step)))  # fmt: skip
    summary["budget"] = {"objective": asked.objective, "window_seconds": asked.window, "left": left.left,
                         "burn": left.burn, **_when(left.spent, step)}  # fmt: skip
    said = _sentence("spends its error budget", summary["budget"], steps * step, asked.level)
    burns = f"it burns {left.burn:.2g} times as fast as allowed"
    summary["said"].append(f"{left.left:.1%} of the error budget is left, {burns}; {said}")


def _add_backtest(
    summary: dict[str, Any], rows: Array, step: float, steps: int, share: bool, asked: Asked
) -> None:
    period = (*seasons(rows, step), 1)[0]
    peers = {"watchkeeper": FORECASTERS, "seasonal naive": {"seasonal naive": seasonal_naive}}
    errors: dict[str, Errors] = {}
    for name, forecasters in peers.items():
        make = _maker(step, share, asked.levels, forecasters)
        outer = [0.5 - asked.level / 2, 0.5 + asked.level / 2]
        errors[name] = backtest(rows, steps, asked.levels, lambda h, s, m=make: m(h, s).quantiles, period=period,
                                band=(outer[0], outer[1]))  # fmt: skip
    summary["backtest"] = {k: {n: _number(v) for n, v in e._asdict().items()} for k, e in errors.items()}
    if not errors["watchkeeper"].points:
        summary["said"].append("backtest: the file is too short for this horizon.")
        return
    summary["said"] += [
        f"backtest of {name}: MASE {e.mase:.3f}, CRPS {e.crps:.3f}, {e.coverage:.1%} of {e.points} values inside "
        f"the band of {asked.level:.0%}." for name, e in errors.items()
    ]  # fmt: skip


def _number(value: float) -> float | None:
    return round(float(value), 10) if math.isfinite(value) else None
