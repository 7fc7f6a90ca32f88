"""Every detector keeps the contract; the bank sees what it should, and stays calm otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.contract.detectors import CHECKS, START, found
from watchkeeper.analysis.detectors import Detector
from watchkeeper.analysis.detectors.bank import Bank
from watchkeeper.analysis.detectors.rates import COUNTER

MINUTE = 60_000
DAY = 1440


@pytest.mark.parametrize("make", found(), ids=lambda m: m.__name__)
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_contract(make: Callable[[], Detector], check: Callable[[Callable[[], Detector]], None]) -> None:
    check(make)


def _scores(values: NDArray[np.float64], kind: int = 0) -> tuple[Bank, NDArray[np.float64]]:
    bank = Bank()
    bank.grow(1, np.array([kind], np.int32))
    times = START + np.arange(len(values)) * MINUTE
    return bank, bank.update(np.zeros(len(values), np.int64), times, values)


def _noise(n: int, seed: int = 1) -> NDArray[np.float64]:
    return np.asarray(np.random.default_rng(seed).standard_normal(n))


def test_spike_level_shift_and_change_of_variance_score_high() -> None:
    values = 100 + _noise(6000)
    for change in (slice(4000, 4003), slice(4000, None)):
        changed = values.copy()
        changed[change] += 15
        assert _scores(changed)[1][4000:4010].max() > 0.9
    louder = values.copy()
    louder[4000:] = 100 + 8 * _noise(2000, 2)
    assert _scores(louder)[1][4000:4030].max() > 0.9


def test_it_is_calm_after_a_level_shift_and_does_not_forget_at_once() -> None:
    values = 100 + _noise(8000)
    values[4000:4020] += 15
    assert _scores(values)[1][4030:4400].max() < 0.9
    values[4000:] += 15
    scores = _scores(values)[1]
    assert scores[4300:].max() < 0.9
    values[4100:4105] = 160  # far outside the old and the new range
    assert _scores(values)[1][4100:4106].max() > 0.9


def test_a_daily_season_is_learned_and_its_absence_is_seen() -> None:
    wave = 100 + 40 * np.sin(np.arange(12 * DAY) / DAY * 2 * np.pi) + _noise(12 * DAY)
    bank, scores = _scores(wave)
    assert bank.season(0)[0] and scores[3 * DAY :].max() < 0.95
    flat = wave.copy()
    flat[10 * DAY + 360 : 10 * DAY + 420] = 60
    assert _scores(flat)[1][10 * DAY + 360 : 10 * DAY + 370].max() > 0.95


def test_a_nightly_job_becomes_a_habit() -> None:
    values = 20 + _noise(10 * DAY)
    nights = np.arange(10) * DAY + 180
    for at in nights:
        values[at : at + 4] += 60
    scores = _scores(values)[1]
    early, late = scores[nights[1]], max(scores[at : at + 4].max() for at in nights[5:])
    assert early > 0.9 > late


def test_counters_are_told_apart_declared_or_not_and_resets_are_no_news() -> None:
    counted = np.cumsum(50 + 3 * _noise(4000))
    counted[2500:] -= counted[2500]  # a restart
    for kind in (COUNTER, 0):
        bank, scores = _scores(counted, kind)
        assert scores[1000:].max() < 0.9 and bank.series["value"][0] == pytest.approx(50 / 60, rel=0.3)


def test_false_alarms_on_clean_data_stay_under_the_stated_rate() -> None:
    """Stated: fewer than one point over 0.94 a series and week on clean minute data."""
    weeks, series = 2, 12
    bank = Bank()
    bank.grow(series)
    n = weeks * 7 * DAY
    random = np.random.default_rng(7)
    shape = np.sin(np.arange(n)[:, None] / DAY * 2 * np.pi + np.arange(series))
    noise = np.where(
        np.arange(series) % 2, random.standard_normal((n, series)), random.laplace(size=(n, series))
    )
    values = 100 + 30 * shape + noise
    times = np.repeat(START + np.arange(n) * MINUTE, series)
    scores = bank.update(np.tile(np.arange(series), n), times, values.reshape(-1)).reshape(n, series)
    over = (scores[2 * DAY :] > 0.94).sum()
    assert over / series / (weeks - 2 / 7) < 1.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**9), st.floats()), max_size=200),
    st.integers(0, 200),
)
def test_any_points_in_any_order_can_be_cut_anywhere(sent: list[tuple[int, int, float]], cut: int) -> None:
    rows = np.array([r for r, _, _ in sent], np.int64)
    times = START + np.array([t for _, t, _ in sent], np.int64)
    values = np.array([v for _, _, v in sent], np.float64)
    whole, pieces = Bank(), Bank()
    whole.grow(4)
    pieces.grow(4)
    scores = whole.update(rows, times, values)
    first = pieces.update(rows[:cut], times[:cut], values[:cut])
    second = pieces.update(rows[cut:], times[cut:], values[cut:])
    assert np.array_equal(np.concatenate((first, second)), scores)
    assert ((scores >= 0) & (scores <= 1)).all()
