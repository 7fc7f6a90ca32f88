"""When a limit is reached: as early, as likely and as late as the bands say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def between(levels: Array, quantiles: Array, level: float) -> Array:
    """The quantiles of a level, on straight lines between those that there are (levels, steps).

    >>> between(np.array([0.1, 0.5]), np.array([[1.0, 2.0], [3.0, 4.0]]), 0.3).tolist()
    [2.0, 3.0]
    """
    if len(levels) == 1:
        return np.asarray(quantiles[0])
    place = float(np.interp(level, levels, np.arange(len(levels))))
    low = min(int(place), len(levels) - 2)
    return np.asarray(quantiles[low] + (place - low) * (quantiles[low + 1] - quantiles[low]))


@dataclass(frozen=True)
class Crossing:
    """Steps ahead, fractions too; None: not within the horizon. 0: it is there already. `chance` is the probability that
    the value is past the limit at the end of the horizon, or was likelier to be so before."""

    earliest: float | None
    median: float | None
    latest: float | None
    chance: float


def crossing(
    levels: Array,
    quantiles: Array,
    limit: float,
    now: float,
    *,
    level: float = 0.9,
    falls: bool | None = None,
) -> Crossing:
    """When quantiles (levels, steps) reach `limit` from the value of now: from below, or from above with `falls` (None:
    whichever side now is on). The earliest is when the pessimistic edge of the band of `level` does, the latest the
    optimistic one.

    >>> q = np.array([[1.0, 2, 3], [2.0, 4, 6], [3.0, 6, 9]])
    >>> found = crossing(np.array([0.05, 0.5, 0.95]), q, 4.0, 0.0)
    >>> round(found.earliest, 3), found.median, found.latest, round(found.chance, 3)
    (1.333, 2.0, None, 0.8)
    """
    if falls if falls is not None else now > limit:
        levels, quantiles, limit, now = 1 - levels[::-1], -quantiles[::-1], -limit, -now
    if now >= limit:
        return Crossing(0.0, 0.0, 0.0, 1.0)
    paths = [between(levels, quantiles, p) for p in (0.5 + level / 2, 0.5, 0.5 - level / 2)]
    earliest, median, latest = (_first(np.r_[now, path], limit) for path in paths)
    return Crossing(
        earliest, median, latest, 1 - min(_below(levels, c, limit) for c in _likeliest(quantiles))
    )


def _likeliest(quantiles: Array) -> list[Array]:
    """The steps among which the one is that is likeliest to be past any limit: the highest of each quantile."""
    return [quantiles[:, i] for i in sorted(set(quantiles.argmax(axis=1).tolist()))]


def _below(levels: Array, column: Array, limit: float) -> float:
    """The probability of less than the limit."""
    if column[-1] < limit:
        return 1.0 - (1 - float(levels[-1])) / 2
    if column[0] >= limit:
        return float(levels[0]) / 2
    return float(np.interp(limit, column, levels))


def _first(path: Array, limit: float) -> float | None:
    """Steps after which a path that begins below the limit reaches it."""
    there = np.flatnonzero(path >= limit)
    if not len(there):
        return None
    i = int(there[0])
    before, after = path[i - 1], path[i]
    return float(i - 1 + (limit - before) / (after - before))
