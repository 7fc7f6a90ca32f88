"""Records: a value outside the range of all that the series has shown.

Of n values in any order, the last is the highest with a chance of 1 / n, whatever their distribution (Rényi 1962,
"Théorie des éléments saillants d'une suite d'observations"), so the highest or the lowest with 2 / n. The range is
that of this generation of points and the one before, so that what was long ago is forgotten.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import compiled

GENERATION = 20_000  # points

RECORD = np.dtype([("low", "f8", 2), ("high", "f8", 2), ("known", "i4"), ("count", "i4")], align=True)
"""State of one series: the range of this generation and of the last, points of both, and of this one."""


@compiled
def record(r: Any, x: float) -> float:
    """Minus the decimal logarithm of the chance of such a record; 0 when `x` is none. Learns from x.

    >>> seen = np.zeros(1, RECORD)
    >>> rare = [record(seen[0], x) for x in [5.0] + [1.0, 9.0] * 100 + [9.5, 4.0, 0.5]]
    >>> [round(x, 1) for x in rare[-4:]]
    [0.0, 2.0, 0.0, 2.0]
    """
    out = 0.0
    if r.known == 0:
        r.low[:], r.high[:] = x, x
    elif x > max(r.high[0], r.high[1]) or x < min(r.low[0], r.low[1]):
        out = math.log10(max(1.0, 0.5 * (r.known + 1)))
    if r.count >= GENERATION:
        r.low[1], r.high[1] = r.low[0], r.high[0]
        r.low[0], r.high[0] = x, x
        r.known, r.count = GENERATION, 0
    r.low[0], r.high[0] = min(r.low[0], x), max(r.high[0], x)
    r.known, r.count = r.known + 1, r.count + 1
    return out
