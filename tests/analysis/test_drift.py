"""Drifts in made-up series: found within a stated time whatever the series does beside; clean series have none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.drift import Drift
from watchkeeper.analysis.detectors.rates import COUNTER

Floats = NDArray[np.float64]
STEP, PER_DAY = 600, 144  # one value in ten minutes
BEGIN = 1_750_032_000  # a midnight
STATED = {"independent": 0.01, "reverting": 0.1}  # drifts a series and week: docs/explanation/drift.md


def _run(values: Floats, kind: int = 0) -> list[tuple[int, float, int]]:
    """Drifts that begin in values of shape (series, times): series, day, way."""
    n = len(values)
    drift, slots, ways, out = Drift(), np.arange(n), np.zeros(n, int), []
    drift.grow(n, np.full(n, kind, np.int32))
    for k in range(values.shape[1]):
        drift.update(slots, np.full(n, (BEGIN + k * STEP) * 1000), values[:, k])
        if k % 12 == 0:
            now = drift.ways(slots).astype(int)
            out += [
                (i, k / PER_DAY, int(now[i])) for i in np.flatnonzero((now != ways) & (now != 0)).tolist()
            ]
            ways = now
    return out


def _time(weeks: int) -> Floats:
    return np.arange(weeks * 7 * PER_DAY) / PER_DAY


def _noise(random: np.random.Generator, like: Floats, days: float = 0.0) -> Floats:
    """Of ten series: white, or reverting to their mean within so many days."""
    noise = random.standard_normal((10, len(like)))
    if days:
        keep = np.exp(-1 / (days * PER_DAY))
        noise[:, 1:] *= np.sqrt(1 - keep * keep)
        for k in range(1, len(like)):
            noise[:, k] += keep * noise[:, k - 1]
    return noise


def _clean(weeks: int, random: np.random.Generator) -> dict[str, Floats]:
    t = _time(weeks)
    day = np.sin(2 * np.pi * (t + random.random((10, 1))))
    week = np.where(
        (t // 1 + random.integers(0, 7, (10, 1))) % 7 >= 5, random.uniform(0.3, 1.0, (10, 1)), 1.0
    )
    busy = (1 + 0.4 * day) * week * np.exp(0.05 * _noise(random, t, 0.5))
    return {
        "white noise": 100 + _noise(random, t),
        "day and week": 100 * (1 + 0.3 * day) * week + _noise(random, t),
        "busy": 100 * busy + 2 * _noise(random, t),
        "counts": random.poisson(3 * busy).astype(float),
        "heavy tails": 100 + 10 * day + random.standard_t(3, (10, len(t))),
        "sawtooth of twenty hours": 100 + 20 * ((t * 1.2 + random.random((10, 1))) % 1) + _noise(random, t),
        "sawtooth of nine days": 100 + 20 * ((t / 9 + random.random((10, 1))) % 1) + _noise(random, t),
        "reverts within two hours": 100 + _noise(random, t, 1 / 12) + 0.5 * _noise(random, t),
        "reverts within half a day": 100 + _noise(random, t, 0.5) + 0.5 * _noise(random, t),
        "two levels": np.cumsum(random.random((10, len(t))) < 0.002, axis=1) % 2 * 10.0 + 0.1 * _noise(random, t),
        "another level": 100 + 20.0 * (t > t[-1] / 2) + _noise(random, t),
        "always grows": 1.5 * t + 0.1 * _noise(random, t),
        "constant": np.full((10, len(t)), 7.0),
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_clean_series_stay_under_the_stated_rate(seed: int) -> None:
    weeks, random = 8, np.random.default_rng(seed)
    found = {name: _run(values) for name, values in _clean(weeks, random).items()}
    assert sum(map(len, found.values())) <= STATED["independent"] * 10 * len(found) * weeks, found
    t = _time(weeks)
    for wanders in (_noise(random, t, 2.0), _noise(random, t, 7.0), np.cumsum(_noise(random, t), axis=1)):
        assert len(_run(100 + wanders + 0.1 * _noise(random, t))) <= STATED["reverting"] * 10 * weeks


def _planted(name: str, base: Floats, t: Floats) -> Floats:
    ramp = np.clip(t - 33.3, 0, 14)
    if name == "gaps":
        base = base.copy()
        base[:, ::7] = np.nan
        base[:, 35 * PER_DAY : 36 * PER_DAY] = np.nan
        return base + ramp
    return base + {"falls": -ramp, "hours": 24 * np.minimum(ramp, 1.0), "week": 3 * ramp}.get(name, ramp)


@pytest.mark.parametrize(
    ("name", "kind", "within"),
    [
        ("noise", "white noise", 7.0),
        ("falls", "white noise", 7.0),
        ("season", "heavy tails", 7.0),
        ("week", "day and week", 7.0),
        ("gaps", "heavy tails", 9.0),
        ("hours", "heavy tails", 1.0),
        ("week", "sawtooth of twenty hours", 14.0),
        ("faster", "always grows", 7.0),
    ],
)
def test_a_planted_drift_is_found_within_the_stated_days(name: str, kind: str, within: float) -> None:
    t = _time(8)
    found = _run(_planted(name, _clean(8, np.random.default_rng(3))[kind], t))
    way = -1 if name == "falls" else 1
    first = {i: day for i, day, w in reversed(found) if w == way and day > 33.3}
    assert len(first) == 10 and max(first.values()) <= 33.3 + within, found
    assert all(day > 33.3 for _, day, _ in found)


@pytest.mark.parametrize("kind", [COUNTER, 0])
def test_a_counter_drifts_in_its_rate(kind: int) -> None:
    t, random = _time(6), np.random.default_rng(1)
    rate = (
        50 * (1 + 0.3 * np.sin(2 * np.pi * t))
        + 2 * np.clip(t - 25, 0, 10)
        + random.standard_normal((3, len(t)))
    )
    counted = np.cumsum(rate * STEP, axis=1)
    counted[:, 3000:] -= counted[:, 3000:3001]  # began anew
    found = _run(counted, kind)
    assert sorted((i, way) for i, _, way in found) == [(0, 1), (1, 1), (2, 1)]
    assert all(25 < day < 32 for _, day, _ in found)


def test_a_drift_tells_its_numbers_and_is_over_when_it_stops_or_falls_back() -> None:
    t = _time(8)
    values = 100 + 2 * np.clip(t - 30, 0, 12) + np.random.default_rng(1).standard_normal(len(t))
    back = np.where(t > 40, values - 20, values)
    drift = Drift()
    drift.grow(2)
    ends, before = {}, np.zeros(2, int)
    for k in range(len(t)):
        drift.update(np.arange(2), np.full(2, (BEGIN + k * STEP) * 1000), np.array([values[k], back[k]]))
        now = drift.ways([0, 1])
        ends |= {int(i): float(t[k]) for i in np.flatnonzero((now == 0) & (before != 0))}
        before = now
        if k == 38 * PER_DAY:
            found = drift.found(0)
    assert found.slope == pytest.approx(2, abs=0.2) and found.slope_before == pytest.approx(0, abs=0.1)
    assert found.before == pytest.approx(100, abs=1) and found.now == pytest.approx(115, abs=1)
    assert 28 < (found.since_ms / 1000 - BEGIN) / 86_400 < 31
    assert ends[1] < 41.2 and 42 < ends[0] < 49


def test_what_was_learned_in_months_can_be_cut_anywhere_and_kept() -> None:
    t, random = _time(8), np.random.default_rng(2)
    values = 100 + 10 * np.sin(2 * np.pi * t) + np.clip(t - 30, 0, 10) + random.standard_normal(len(t))
    values[random.random(len(t)) < 0.1] = np.nan
    times, zeros = (BEGIN + np.arange(len(t)) * STEP) * 1000, np.zeros(len(t), int)
    whole = Drift()
    whole.grow(1)
    scores = whole.update(zeros, times, values)
    pieces, got = Drift(), []
    pieces.grow(1)
    for begin in range(0, len(t), 997):
        cut = slice(begin, begin + 997)
        again = Drift()
        assert again.load(pieces.state())
        got.append(again.update(zeros[cut], times[cut], values[cut]))
        pieces = again
    assert np.array_equal(np.concatenate(got), scores) and scores.max() >= 0.9
