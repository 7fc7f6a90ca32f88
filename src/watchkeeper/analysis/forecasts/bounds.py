"""Which values there can be: a share stays between 0 and 1, what never was negative does not become so, and a counter
never falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SHARES = ("utilization", "utilisation", "ratio", "share", "fraction")
COUNTS = 24  # rows that have to rise before something is a counter


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value, and whether it only rises."""

    low: float = -np.inf
    high: float = np.inf
    rises: bool = False

    def keep(self, quantiles: Array, last: float) -> Array:
        """Quantiles (levels, steps) moved inside; `last` is the value of now."""
        inside = np.clip(quantiles, self.low, self.high)
        return np.maximum(np.maximum.accumulate(inside, axis=1), last) if self.rises else inside


def is_share(name: str) -> bool:
    """Whether a series says by its name that it is a share of something, as OpenTelemetry names them.

    >>> is_share("system.filesystem.utilization"), is_share("system.filesystem.usage")
    (True, False)
    """
    return name.lower().endswith(_SHARES)


def bounds_of(values: Array, share: bool = False) -> Bounds:
    """What the values so far allow; of a `share` also that it is one.

    >>> bounds_of(np.array([0.2, 0.4]), share=True)
    Bounds(low=0.0, high=1.0, rises=False)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return Bounds()
    low = 0.0 if known.min() >= 0 else -np.inf
    high = 1.0 if share and known.max() <= 1 and low == 0 else np.inf
    change = np.diff(known)
    rises = len(known) >= COUNTS and not (change < 0).any() and (change > 0).mean() > 0.9
    return Bounds(low, high, bool(rises) and high == np.inf)
