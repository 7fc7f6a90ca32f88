"""What every forecaster is given: a series taken apart into what its seasons add and the level that is left, a classical
additive decomposition with medians over the last cycles (after Cleveland et al., STL, 1990, without its iterations)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.gaps import filled
from watchkeeper.analysis.forecasts.shifts import spliced

Array = NDArray[np.float64]
CYCLES = 12  # of a season, that are looked at
PARTS = 48  # in which the horizon is cut: the level is looked at in stretches as long as one


@dataclass(frozen=True)
class History:
    """Rows up to now, and the periods that they are known to have."""

    values: Array  # NaN where nothing was measured
    periods: tuple[int, ...] = ()

    @cached_property
    def seasonal(self) -> tuple[int, ...]:
        """The periods of which two cycles are there."""
        return tuple(p for p in self.periods if 2 * p <= len(self.values))

    @cached_property
    def whole(self) -> Array:
        """The rows without gaps."""
        return filled(self.values, self.seasonal[0] if self.seasonal else 0)

    @cached_property
    def profiles(self) -> tuple[Array, ...]:
        """What each season adds, one cycle long, beginning with the row after the last."""
        rest = self.whole - running(self.whole, self.seasonal[-1]) if self.seasonal else self.whole
        out = []
        for period in self.seasonal:
            whole = min(len(rest) // period, CYCLES)
            cycles = rest[len(rest) - whole * period :].reshape(whole, period)
            one = np.median(cycles, axis=0)
            one = (one - one.mean()) * (whole**2 / (whole**2 + 1))
            rest = rest - repeated(one, len(rest), before=True)
            out.append(one)
        return tuple(out)

    @cached_property
    def level(self) -> Array:
        """The rows without gaps and seasons."""
        out = self.whole
        for profile in self.profiles:
            out = out - repeated(profile, len(out), before=True)
        return out

    @cached_property
    def spread(self) -> Array:
        """How much rows differ from level and season by the time of the longest season: one cycle, 1 on average,
        beginning with the row after the last. Without a season it is [1]."""
        if not self.seasonal:
            return np.ones(1)
        period = self.seasonal[-1]
        off = np.abs(self.level - running(self.level, max(3, period // 8)))
        whole = min(len(off) // period, CYCLES)
        one = off[len(off) - whole * period :].reshape(whole, period).mean(axis=0)
        smooth = running(np.tile(one, 3), max(1, period // 24))[period : 2 * period]
        mean = float(smooth.mean())
        return 0.5 + 0.5 * smooth / mean if mean > 0 else np.ones(period)

    def ahead(self, steps: int) -> Array:
        """What the seasons add in the next rows."""
        out = np.zeros(steps)
        for profile in self.profiles:
            out += repeated(profile, steps)
        return out

    def coarse(self, steps: int) -> tuple[Array, int]:
        """The level in stretches of `width` rows, as medians, the last of which ends now; and `width`. A horizon is some
        dozens of stretches long, so that noise and cost do not grow with it (temporal aggregation: Kourentzes,
        Petropoulos, Trapero, Int. J. Forecasting 2014). Without lasting jumps; its end is at the level of now."""
        width = max(1, steps // PARTS)
        whole = len(self.level) // width
        if whole < 4:
            width, whole = 1, len(self.level)
        rows = self.level[len(self.level) - whole * width :].reshape(whole, width)
        return spliced(np.median(rows, axis=1)), width


def repeated(profile: Array, rows: int, before: bool = False) -> Array:
    """A cycle over and over: the rows after it begins, or those before.

    >>> repeated(np.array([1.0, 2.0]), 3).tolist(), repeated(np.array([1.0, 2.0]), 3, before=True).tolist()
    ([1.0, 2.0, 1.0], [2.0, 1.0, 2.0])
    """
    times = rows // len(profile) + 1
    tiled = np.tile(profile, times)
    return np.asarray(tiled[len(tiled) - rows :] if before else tiled[:rows])


def running(x: Array, width: int) -> Array:
    """The mean of `width` rows around each; at the ends of the first and last `width` rows.

    >>> running(np.arange(6.0), 3).tolist()
    [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]
    """
    width = min(width, len(x))
    if width < 2:
        return x
    total = np.cumsum(np.r_[0.0, x])
    means = (total[width:] - total[:-width]) / width
    left = (width - 1) // 2
    return np.asarray(np.r_[np.full(left, means[0]), means, np.full(len(x) - len(means) - left, means[-1])])


def stretched(coarse: Array, width: int, steps: int, now: float) -> Array:
    """Forecasts of stretches as forecasts of rows: straight lines between their middles, from the value of now."""
    if width == 1:
        return coarse[:steps]
    middles = (np.arange(len(coarse)) + 0.5) * width + 0.5
    return np.asarray(np.interp(np.arange(1, steps + 1), np.r_[0.0, middles], np.r_[now, coarse]))
