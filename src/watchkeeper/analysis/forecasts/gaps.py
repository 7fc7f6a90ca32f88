"""Gaps are filled for arithmetic only: with what was measured a season earlier, else with the last value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def held(values: Array) -> Array:
    """Every gap has the value before it; gaps at the beginning the first one. All NaN stays so.

    >>> held(np.array([np.nan, 1.0, np.nan, 3.0])).tolist()
    [1.0, 1.0, 1.0, 3.0]
    """
    known = np.isfinite(values)
    if known.all() or not known.any():
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    out = values[last]
    first = int(known.argmax())
    out[:first] = values[first]
    return np.asarray(out)


def filled(values: Array, period: int = 0) -> Array:
    """Gaps have what was there a period before, as long as that is known; else the last value.

    >>> filled(np.array([1.0, 5.0, np.nan, np.nan, 1.5]), 2).tolist()
    [1.0, 5.0, 1.0, 5.0, 1.5]
    """
    missing = ~np.isfinite(values)
    if not missing.any():
        return values
    out = values.copy()
    if period:
        for i in np.flatnonzero(missing):  # in order: a gap of several periods is filled from before it
            if i >= period:
                out[i] = out[i - period]
    return held(out)
