"""What every detector must keep: found by walking the package, fed with the same hostile points."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.contract.finding import classes
from watchkeeper.analysis import detectors
from watchkeeper.analysis.detectors import Detector

START = 1_750_000_000_000
MOST_BYTES = 16 * 1024
Points = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def found() -> list[Callable[[], Detector]]:
    """Every class of the package that has what the Detector protocol asks for."""
    return classes(detectors, "name", "version", "update", "grow", "explain", "state")


def points(n: int, series: int, seed: int) -> Points:
    """Points of several series mixed: waves, jumps, gaps, infinities, resets, times that repeat or step back."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, series, n)
    times = START + np.cumsum(random.integers(0, 40_000, n))
    times[random.random(n) < 0.02] -= 3_600_000
    times[random.random(n) < 0.002] += 86_400_000 * 3
    values = np.sin(times / 1e7) * 10 + random.standard_normal(n) + rows * 1e6
    values[random.random(n) < 0.02] *= 50
    for bad in (np.nan, np.inf, -np.inf, 1e308, -1e308, 0.0, 5e-324):
        values[random.random(n) < 0.005] = bad
    values[rows == 1] = np.arange((rows == 1).sum()) * 3.0 % 4000  # a counter with resets
    values[rows == 2] = 7.0  # never changes
    return rows.astype(np.int64), times.astype(np.int64), values


def fresh(make: Callable[[], Detector], series: int) -> Detector:
    """A detector with room for some series."""
    detector = make()
    detector.grow(series)
    return detector


def check_scores(make: Callable[[], Detector]) -> None:
    """Scores lie in [0, 1], one for a point, 0 for a gap; and there is a reason for each series."""
    rows, times, values = points(20_000, 6, 1)
    detector = fresh(make, 6)
    scores = detector.update(rows, times, values)
    assert scores.shape == rows.shape and np.isfinite(scores).all()
    assert scores.min() >= 0.0 and scores.max() <= 1.0
    assert not scores[~np.isfinite(values)].any()
    assert all(reason.text for slot in range(6) for reason in detector.explain(slot))


def check_prefix(make: Callable[[], Detector]) -> None:
    """Later points change no earlier score, whatever the size of the batches."""
    rows, times, values = points(6000, 4, 2)
    whole = fresh(make, 4).update(rows, times, values)
    for size in (1, 7, 1000):
        n = 600 if size == 1 else 6000
        pieces = fresh(make, 4)
        got = [
            pieces.update(rows[i : i + size], times[i : i + size], values[i : i + size])
            for i in range(0, n, size)
        ]
        assert np.array_equal(np.concatenate(got)[:n], whole[:n])


def check_independence(make: Callable[[], Detector]) -> None:
    """A series' scores depend on its own points only: not on its slot, nor on who is beside it."""
    rows, times, values = points(8000, 5, 3)
    together = fresh(make, 5).update(rows, times, values)
    for series in range(5):
        own = rows == series
        alone = fresh(make, 2).update(np.ones(own.sum(), np.int64), times[own], values[own])
        assert np.array_equal(alone, together[own])


def check_restart(make: Callable[[], Detector]) -> None:
    """State and pickle carry everything over; state of another version is refused."""
    rows, times, values = points(6000, 4, 4)
    whole = fresh(make, 4).update(rows, times, values)
    first = fresh(make, 4)
    first.update(rows[:3000], times[:3000], values[:3000])
    loaded = make()
    assert loaded.load(first.state())
    assert not make().load({**first.state(), "version": "another"}) and not make().load(None)
    for second in (loaded, pickle.loads(pickle.dumps(first))):
        assert np.array_equal(second.update(rows[3000:], times[3000:], values[3000:]), whole[3000:])


def check_bounds(make: Callable[[], Detector]) -> None:
    """Memory a series is bounded, and does not grow with what the series sends."""
    detector = fresh(make, 100)
    before = len(pickle.dumps(detector))
    rows, times, values = points(50_000, 100, 5)
    detector.update(rows, times, values)
    after = len(pickle.dumps(detector))
    assert after <= before * 1.01 + 1000 and (after - len(pickle.dumps(fresh(make, 0)))) / 100 <= MOST_BYTES


CHECKS = (check_scores, check_prefix, check_independence, check_restart, check_bounds)
