"""Points a second of the default bank over 10,000 series on one core, and its memory a series.

The same bank and configuration as live and in `watchkeeper lab detect`; with it, the detector of drifts that runs beside it,
which has known its series for two weeks, so that it judges as often as live. Beside them, as a floor, an exponentially
weighted mean and deviation in numpy over the same points.

    python benchmarks/detect.py [--json]
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import sys
import time

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors import drift
from watchkeeper.analysis.detectors.bank import STATE, Bank

SERIES, STEPS, STEP_MS = 10_000, 200, 60_000
START = 1_750_000_000_000
DAY_STEPS = 1440  # all are sent again and again for a day, so that what is done once a day is in it
KNOWN_DAYS = 12


def points(seed: int = 1) -> NDArray[np.float64]:
    """Values of shape (steps, series): a day's wave, noise, and a jump now and then."""
    random = np.random.default_rng(seed)
    wave = np.sin(np.arange(STEPS)[:, None] / 229.0 + np.arange(SERIES))
    jumps = (random.random((STEPS, SERIES)) < 0.002) * 20.0
    return np.asarray(50 + 10 * wave + random.standard_normal((STEPS, SERIES)) + jumps)


def known_drift() -> drift.Drift:
    """The detector of drifts when it has seen the series for some days."""
    detector, rows, random = drift.Drift(), np.arange(SERIES), np.random.default_rng(2)
    detector.grow(SERIES)
    for k in range(KNOWN_DAYS * drift.DAY, 0, -1):
        at = START - k * drift.CELL * 1000
        detector.update(rows, np.full(SERIES, at), 50 + random.standard_normal(SERIES))
    return detector


def seconds(values: NDArray[np.float64], beside: drift.Drift | None) -> float:
    """CPU seconds for all points, one step of all series at a time; of the bank alone or with another detector."""
    bank, rows = Bank(), np.arange(SERIES)
    bank.grow(SERIES)
    bank.update(rows, np.full(SERIES, START), values[0])
    began = time.process_time()
    for k in range(DAY_STEPS):
        row = values[k % STEPS]
        times = np.full(SERIES, START + (k + 1) * STEP_MS)
        bank.update(rows, times, row)
        if beside is not None:
            beside.update(rows, times, row)
    return time.process_time() - began


def ewma_seconds(values: NDArray[np.float64]) -> float:
    """CPU seconds of the floor."""
    mean, deviation = values[0].copy(), np.ones(SERIES)
    began = time.process_time()
    for k in range(DAY_STEPS):
        row = values[k % STEPS]
        residual = row - mean
        np.abs(residual / deviation)
        mean += 0.05 * residual
        deviation += 0.05 * (np.abs(residual) - deviation)
    return time.process_time() - began


def main() -> None:
    """Median of three runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    values = points()
    Bank().update(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))  # compile, or load
    known = known_drift().state()
    took: dict[str, list[float]] = {"whole": [], "bank": [], "ewma": []}
    for _ in range(3):  # in turn, so that a noisy moment is everybody's
        beside = drift.Drift()
        beside.load(known)
        took["whole"].append(seconds(values, beside))
        took["bank"].append(seconds(values, None))
        took["ewma"].append(ewma_seconds(values))
    whole, bank, floor = (round(DAY_STEPS * SERIES / statistics.median(t)) for t in took.values())
    one, its_drift = Bank(), drift.Drift()
    one.grow(1)
    its_drift.grow(1)
    result = {
        "points_per_cpu_second": whole, "bank_alone_points_per_cpu_second": bank,
        "ewma_points_per_cpu_second": floor,
        "bytes_per_series": STATE.itemsize + drift.SERIES.itemsize + 4 * drift.CELLS,
        "pickled_bytes_of_one": len(pickle.dumps(one)) + len(pickle.dumps(its_drift)), "target": 2_000_000,
    }  # fmt: skip
    if as_json:
        json.dump(result, sys.stdout)
        sys.stdout.write("\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:32s} {value:>14,}\n")


if __name__ == "__main__":
    main()
