"""Simple methods that find a cause from metrics, to be run beside ours: each gives entities, best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def n_sigma(entities: Sequence[str], normal: Array, trouble: Array) -> list[str]:
    """The largest distance of a value in the trouble from the normal mean, in standard deviations (as in BARO, Pham et
    al. 2024, where it is a baseline)."""
    return _ranked(entities, _sigmas(normal, trouble))


def robust(entities: Sequence[str], normal: Array, trouble: Array) -> list[str]:
    """BARO's (Pham et al. 2024): the same, by median and interquartile range."""
    low, middle, high = (_of_known(normal, lambda row, q=q: np.quantile(row, q)) for q in (0.25, 0.5, 0.75))
    return _ranked(entities, np.abs(trouble - middle) / _or_one(high - low))


def earliest(entities: Sequence[str], normal: Array, trouble: Array) -> list[str]:
    """Whose value was first outside the normal three standard deviations."""
    outside = np.nan_to_num(_sigmas(normal, trouble)) > 3.0
    first = np.where(outside.any(axis=1), outside.argmax(axis=1), trouble.shape[1])
    return _ranked(entities, -first[:, None].astype(float))


def _sigmas(normal: Array, trouble: Array) -> Array:
    return np.asarray(np.abs(trouble - _of_known(normal, np.mean)) / _or_one(_of_known(normal, np.std)))


def _of_known(values: Array, what: Callable[[Array], Any]) -> Array:
    """Of the known values of each series, as a column; NaN where there are none."""
    known = (row[np.isfinite(row)] for row in values)
    return np.array([float(what(row)) if len(row) else np.nan for row in known])[:, None]


def _or_one(scale: Array) -> Array:
    """What never changes is measured in its own unit, as scikit-learn's scalers do."""
    return np.where(scale > 0, scale, 1.0)


def _ranked(entities: Sequence[str], off: Array) -> list[str]:
    strength = np.where(np.isfinite(off), off, -np.inf).max(axis=1)
    best: dict[str, float] = {}
    for entity, s in zip(entities, strength.tolist(), strict=True):
        best[entity] = max(best.get(entity, -np.inf), s)
    return sorted(best, key=lambda e: (-best[e], e))
