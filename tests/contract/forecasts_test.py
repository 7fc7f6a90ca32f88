"""What every forecaster must keep to: functions of a history and a number of steps, found in the package."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

from tests.contract.finding import functions

PACKAGE = "watchkeeper.analysis.forecasts"
if importlib.util.find_spec(PACKAGE) is None:
    pytest.skip("there is no forecaster yet", allow_module_level=True)

forecasts: Any = importlib.import_module(PACKAGE)
history: Any = importlib.import_module(f"{PACKAGE}.history")


def looks_ahead(name: str, signature: inspect.Signature) -> bool:
    """Whether this function is a forecaster."""
    del name
    return list(signature.parameters) == ["history", "steps"]


every = pytest.mark.parametrize("make", functions(forecasts, looks_ahead), ids=lambda f: f.__name__)
DAY = 24


def series(rows: int = 15 * DAY) -> Any:
    return 50 + 10 * np.sin(np.arange(rows) * 2 * np.pi / DAY) + np.random.default_rng(1).normal(0, 1, rows)


@every
def test_as_many_finite_steps_as_were_asked_for(make: Any) -> None:
    for steps in (1, 7, 3 * DAY):
        said = make(history.History(series(), (DAY,)), steps)
        assert said.shape == (steps,) and np.isfinite(said).all()


@every
def test_deterministic_picklable_and_the_history_is_not_touched(make: Any) -> None:
    values = series()
    kept, first = values.copy(), make(history.History(values, (DAY,)), 10)
    assert np.array_equal(pickle.loads(pickle.dumps(make))(history.History(values, (DAY,)), 10), first)
    assert np.array_equal(values, kept)


@every
def test_it_says_less_far_what_it_says_when_asked_further(make: Any) -> None:
    given = history.History(series(), (DAY,))
    assert np.allclose(make(given, 40)[:10], make(given, 10))


@every
def test_gaps_constants_and_short_histories_survive(make: Any) -> None:
    gaps = series()
    gaps[3:-3][np.random.default_rng(2).random(len(gaps) - 6) < 0.4] = np.nan
    for values in (gaps, np.full(60, 3.0), np.array([1.0]), np.array([1.0, 2.0, 4.0])):
        assert np.isfinite(make(history.History(values, (DAY,)), 5)).all()
