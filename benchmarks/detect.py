"""Points a second of the default bank over 10,000 series on one core, and its memory a series.

The same bank and configuration as live and in `watchkeeper lab detect`. Beside it, as a floor, an exponentially
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

from watchkeeper.analysis.detectors.bank import STATE, Bank

SERIES, STEPS, STEP_MS, START = 10_000, 200, 60_000, 1_750_000_000_000


def points(seed: int = 1) -> NDArray[np.float64]:
    """Values of shape (steps, series): a day's wave, noise, and a jump now and then."""
    random = np.random.default_rng(seed)
    wave = np.sin(np.arange(STEPS)[:, None] / 229.0 + np.arange(SERIES))
    jumps = (random.random((STEPS, SERIES)) < 0.002) * 20.0
    return np.asarray(50 + 10 * wave + random.standard_normal((STEPS, SERIES)) + jumps)


def bank_seconds(values: NDArray[np.float64]) -> float:
    """CPU seconds for all points, one step of all series at a time."""
    bank, rows = Bank(), np.arange(SERIES)
    bank.grow(SERIES)
    bank.update(rows, np.full(SERIES, START), values[0])
    began = time.process_time()
    for k, row in enumerate(values):
        bank.update(rows, np.full(SERIES, START + (k + 1) * STEP_MS), row)
    return time.process_time() - began


def ewma_seconds(values: NDArray[np.float64]) -> float:
    """CPU seconds of the floor."""
    mean, deviation = values[0].copy(), np.ones(SERIES)
    began = time.process_time()
    for row in values:
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
    bank = values.size / statistics.median(bank_seconds(values) for _ in range(3))
    floor = values.size / statistics.median(ewma_seconds(values) for _ in range(3))
    one = Bank()
    one.grow(1)
    result = {
        "points_per_cpu_second": round(bank), "ewma_points_per_cpu_second": round(floor),
        "bytes_per_series": STATE.itemsize, "pickled_bytes_of_one": len(pickle.dumps(one)), "target": 2_000_000,
    }  # fmt: skip
    if as_json:
        json.dump(result, sys.stdout)
        sys.stdout.write("\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:32s} {value:>14,}\n")


if __name__ == "__main__":
    main()
