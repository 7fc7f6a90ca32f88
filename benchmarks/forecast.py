"""Forecasts of 24 hours ahead beside the seasonal naive one, in the same run, from the same points of the past: of series
made up as operations have them, and of the public development series where ../shared/data is there. Hours of the same
series also by statsforecast's AutoETS and AutoTheta, where that is installed.

    python -m benchmarks.forecast [--json] [--sets made nab wsd aiops] [--most 10] [--data ../shared/data]

MASE: mean error in units of the usual difference from a day before. CRPS: twice the mean pinball loss over the quantiles,
in the same units. Coverage: of the band of 90 %.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts import LEVELS, Grid, forecast, regular, seasons
from watchkeeper.analysis.forecasts.backtest import origins, pinball, scale
from watchkeeper.analysis.forecasts.naive import seasonal_naive
from watchkeeper.cli.lab_rows import milliseconds

Array = NDArray[np.float64]
SHARED = Path(__file__).parents[2] / "shared" / "data"
DAY, HOUR, ORIGINS, LONGEST = 86_400.0, 3600.0, 3, 40_000


def made() -> Iterator[Grid]:
    """Forty days of hours of eight kinds, four of each."""
    t = np.arange(960.0)
    day, week = np.sin(t / 24 * 2 * np.pi), (t % 168 < 120).astype(float)
    for seed in range(4):
        r = np.random.default_rng(seed)
        noise = r.standard_normal(960)
        shift = 400 + 100 * seed
        yield _grid(100 + 40 * day + 30 * week + 5 * noise)  # traffic
        yield _grid((100 + 40 * day) * (1 + t / 960) + 8 * noise)  # traffic that grows
        yield _grid(0.3 + 0.0006 * t + 0.003 * noise - 0.2 * (t > shift))  # a disk that was cleaned
        yield _grid((t % 36) / 36 + 0.02 * noise)  # filled and emptied, not by the day
        yield _grid(50 + 3 * noise + 40 * (t > shift))  # a level that has moved
        yield _grid(np.cumsum(noise))  # a random walk
        yield _grid(np.where(r.random(960) < 0.03, 500.0, 20 + noise))  # spikes
        yield _grid(np.where(r.random(960) < 0.2, np.nan, 100 + 40 * day + 5 * noise))  # gaps


def _grid(values: Array) -> Grid:
    return Grid(0.0, HOUR, values)


def public(data: Path, name: str) -> Iterator[Grid]:
    """The series of a public set, at the distances that they have."""
    for path in sorted((data / ("nab" if name == "nab" else f"kpi/{name}")).rglob("*.[nc][ps][zv]")):
        if path.suffix == ".npz":
            known = np.load(path)
            yield regular(known["timestamp"].astype(float), known["value"].astype(float))
        else:
            with path.open(newline="") as f:
                rows = list(csv.reader(f))[1:]
            times = np.array([milliseconds(r[0]) / 1000 for r in rows])
            yield regular(times, np.array([float(r[1]) if r[1] else np.nan for r in rows]))


def ours(past: Array, steps: int, step: float) -> Array:
    """As `watchkeeper lab forecast` does it."""
    return forecast(past, steps, periods=seasons(past, step)).quantiles


def naive(past: Array, steps: int, step: float) -> Array:
    """The day before, with bands from its own errors."""
    return forecast(
        past, steps, periods=(round(DAY / step),), forecasters={"seasonal naive": seasonal_naive}
    ).quantiles


def peers() -> dict[str, Callable[[Array, int, float], Array]]:
    """Methods of statsforecast, if it is there; for hours."""
    try:
        from statsforecast.models import AutoETS, AutoTheta
    except ImportError:
        return {}
    bands = [50, 80, 90]

    def with_(model: type) -> Callable[[Array, int, float], Array]:
        def make(past: Array, steps: int, step: float) -> Array:  # noqa: ARG001
            known = np.flatnonzero(np.isfinite(past))
            whole = np.interp(np.arange(len(past)), known, past[known])
            said = model(season_length=24).forecast(whole, steps, level=bands)
            return np.array([said["lo-90"], said["lo-80"], said["lo-50"], said["mean"], said["hi-50"], said["hi-80"],
                             said["hi-90"]])  # fmt: skip

        return make

    return {"AutoETS": with_(AutoETS), "AutoTheta": with_(AutoTheta)}


def hourly(grid: Grid) -> Grid:
    """Means of hours."""
    at = grid.start + np.arange(len(grid.values)) * grid.step
    return regular(np.floor(at / HOUR) * HOUR, grid.values, HOUR)


def measure(
    grids: list[Grid], makers: dict[str, Callable[[Array, int, float], Array]]
) -> dict[str, dict[str, float]]:
    """Errors and CPU time of each, means over all forecasts."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in makers}
    spent = dict.fromkeys(makers, 0.0)
    for grid in grids:
        steps = round(DAY / grid.step)
        for origin in origins(len(grid.values), steps, ORIGINS, 2 * steps):
            past, actual = (
                grid.values[max(0, origin - LONGEST) : origin],
                grid.values[origin : origin + steps],
            )
            known, unit = np.isfinite(actual), scale(grid.values[:origin], steps)
            if known.sum() < steps / 2 or unit <= 0:
                continue
            for name, make in makers.items():
                began = time.process_time()
                said = make(past, steps, grid.step)[:, : len(actual)][:, known]
                spent[name] += time.process_time() - began
                inside = (actual[known] >= said[0]) & (actual[known] <= said[-1])
                found[name].append((np.abs(said[3] - actual[known]).mean() / unit,
                                    2 * pinball(actual[known], said, LEVELS).mean() / unit, inside.mean()))  # fmt: skip
    out = {}
    for name, rows in found.items():
        mase, crps, coverage = np.array(rows).mean(axis=0)
        out[name] = {
            "forecasts": len(rows), "mase": round(mase, 3), "crps": round(crps, 3), "coverage": round(coverage, 3),
            "median_mase": round(float(np.median([r[0] for r in rows])), 3),
            "forecasts_per_cpu_second": round(len(rows) / spent[name], 2),
        }  # fmt: skip
    return out


def main() -> None:
    """A table for each set, at its own distances and in hours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sets", nargs="*", default=["made", "nab", "wsd", "aiops"])
    parser.add_argument("--most", type=int, default=1000, help="series of a set")
    parser.add_argument("--data", type=Path, default=SHARED, help="where the public sets are")
    options = parser.parse_args()
    ours(np.arange(100.0), 3, HOUR)  # compile, or load
    result = {}
    for name in options.sets:
        grids = list(made() if name == "made" else public(options.data, name))[: options.most]
        grids = [g for g in grids if len(g.values) > 3 * round(DAY / g.step)]
        if not grids:
            continue
        both = {"watchkeeper": ours, "seasonal naive": naive}
        if name != "made":
            result[name] = measure(grids, both)
        result[f"{name}, hours"] = measure([hourly(g) for g in grids], both | peers())
    if options.json:
        json.dump(result, sys.stdout)
        sys.stdout.write("\n")
        return
    for name, table in result.items():
        for method, row in table.items():
            sys.stdout.write(
                f"{name:12s} {method:15s} " + "  ".join(f"{k} {v:g}" for k, v in row.items()) + "\n"
            )


if __name__ == "__main__":
    main()
