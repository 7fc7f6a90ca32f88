"""What every forecaster must keep to, run on all that are found in the package, and on what they say together."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from numpy.typing import NDArray

from watchkeeper.analysis import forecasts
from watchkeeper.analysis.forecasts import FORECASTERS, LEVELS, Bounds, bounds_of, forecast, seasons
from watchkeeper.analysis.forecasts.combine import Forecaster
from watchkeeper.analysis.forecasts.history import History

Array = NDArray[np.float64]
STEPS = 48


def found() -> dict[str, Forecaster]:
    """Every public function of the package that takes a history and steps."""
    out: dict[str, Forecaster] = {}
    for module in pkgutil.iter_modules(forecasts.__path__, f"{forecasts.__name__}."):
        for name, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            own = thing.__module__ == module.name and not name.startswith("_")
            if own and list(inspect.signature(thing).parameters) == ["history", "steps"]:
                out[name] = thing
    return out


def series() -> dict[str, tuple[Array, tuple[int, ...]]]:
    """Rows and periods, ordinary and hostile ones."""
    random = np.random.default_rng(7)
    t = np.arange(600.0)
    wave = 50 + 20 * np.sin(t / 24 * 2 * np.pi) + random.standard_normal(600)
    gaps = wave.copy()
    gaps[random.random(600) < 0.3] = np.nan
    gaps[200:300] = np.nan
    return {
        "wave": (wave, (24,)), "gaps": (gaps, (24,)), "constant": (np.full(300, 7.0), ()), "one": (np.array([3.0]), ()),
        "two": (np.array([3.0, 4.0]), ()), "short": (t[:9], ()), "huge": (wave * 1e15, (24,)),
        "tiny": (wave * 1e-15, (24,)), "spikes": (np.where(random.random(600) < 0.01, 1e9, 1.0), ()),
        "cleaned": (np.r_[t[:300], t[:300]], ()), "counter": (np.cumsum(random.random(600)), ()),
        "silent now": (np.r_[wave, np.full(30, np.nan)], (24,)), "never long enough": (wave[:40], (24, 168)),
    }  # fmt: skip


every = pytest.mark.parametrize("name", sorted(found()))
hostile = pytest.mark.parametrize("kind", sorted(series()))


def test_all_are_found_and_used() -> None:
    assert set(found().values()) == set(FORECASTERS.values())


@every
@hostile
def test_every_step_has_a_finite_value_and_again_the_same(name: str, kind: str) -> None:
    make, (values, periods) = found()[name], series()[kind]
    known = values[: np.flatnonzero(np.isfinite(values))[-1] + 1]
    kept = known.copy()
    said = make(History(known, periods), STEPS)
    assert said.shape == (STEPS,) and np.isfinite(said).all()
    assert np.array_equal(said, make(History(known, periods), STEPS))
    assert np.array_equal(known, kept, equal_nan=True)  # what it was given is as it was
    whole = np.ptp(known[np.isfinite(known)])
    near = np.abs(said - np.nanmedian(known)).max()
    assert near <= 10 * whole + 1e-9 * abs(np.nanmedian(known)), (near, whole)


@hostile
def test_together_they_are_finite_ordered_bounded_and_the_same(kind: str) -> None:
    values, periods = series()[kind]
    one, two = (forecast(values, STEPS, periods=periods) for _ in range(2))
    assert np.array_equal(one.quantiles, two.quantiles)
    assert one.quantiles.shape == (len(LEVELS), STEPS) and np.isfinite(one.quantiles).all()
    assert (np.diff(one.quantiles, axis=0) >= 0).all()
    known = values[np.isfinite(values)]
    if known.min() >= 0:
        assert one.quantiles.min() >= 0
    if kind == "counter":
        assert (np.diff(one.quantiles, axis=1) >= 0).all() and one.quantiles.min() >= known[-1]


def test_what_comes_later_changes_nothing() -> None:
    """Only what is given is known: the forecast of a beginning is that of the same rows alone."""
    values, periods = series()["wave"]
    before = forecast(values[:400].copy(), STEPS, periods=periods)
    changed = values.copy()
    changed[400:] = 1e6
    assert np.array_equal(before.quantiles, forecast(changed[:400], STEPS, periods=periods).quantiles)


def test_scale_and_place_do_not_matter() -> None:
    values, periods = series()["wave"]
    plain = forecast(values, STEPS, periods=periods, bounds=Bounds()).quantiles
    moved = forecast(values * 1000 + 5, STEPS, periods=periods, bounds=Bounds()).quantiles
    assert np.allclose((moved - 5) / 1000, plain, rtol=1e-6, atol=1e-6)


def test_a_share_stays_one() -> None:
    full = np.linspace(0.2, 0.97, 300)
    said = forecast(full, 200, bounds=bounds_of(full, share=True)).quantiles
    assert said.max() == 1.0 and said.min() >= 0


def test_nothing_known_is_refused() -> None:
    with pytest.raises(ValueError, match="no value is known"):
        forecast(np.full(5, np.nan), 3)


def test_the_band_holds_what_it_says() -> None:
    """On series of known make, away from what it was tried on."""
    inside = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        t = np.arange(24 * 40.0)
        values = 100 + 0.02 * t + 15 * np.sin(t / 24 * 2 * np.pi) + 3 * random.standard_normal(len(t))
        said = forecast(values[:-24], 24, periods=seasons(values[:-24], 3600.0))
        inside.append((values[-24:] >= said.quantiles[0]) & (values[-24:] <= said.quantiles[-1]))
    assert 0.8 <= np.mean(inside) <= 0.99
