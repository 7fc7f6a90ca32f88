"""Counters told apart from gauges, and turned into rates.

A counter only grows and starts again from zero; what matters about it is how fast it grows. A series that is
not declared is taken for a counter once it has grown many times and never shrunk.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import inlined

UNKNOWN, GAUGE, COUNTER, LEARNED_COUNTER = 0, 1, 2, 3
"""Kinds of series. A learned counter is a gauge again as soon as it shrinks twice in short order."""

GROWN = 200  # times a series has to grow, and never shrink, to be taken for a counter

RATE = np.dtype(
    [("value", "f8"), ("seconds", "f8"), ("grown", "i4"), ("since_reset", "i4"), ("kind", "i4")], align=True
)
"""State of one series."""


@inlined
def rate(r: Any, x: float, seconds: float) -> float:
    """The value to look at: x of a gauge, growth a second of a counter, NaN where there is none (the first
    point, a reset, a repeated time)."""
    before, elapsed = r.value, seconds - r.seconds
    first = r.seconds == 0.0
    r.value, r.seconds = x, seconds
    if r.kind == GAUGE or first:
        return math.nan if r.kind == COUNTER else x
    r.since_reset = min(r.since_reset + 1, 1_000_000)
    if x < before:
        if r.kind == UNKNOWN or (r.kind == LEARNED_COUNTER and r.since_reset < GROWN):
            r.kind = GAUGE
            return x
        r.since_reset = 0
        return math.nan
    if r.kind == UNKNOWN:
        r.grown += x > before
        if r.grown >= GROWN:
            r.kind = LEARNED_COUNTER
        return x
    return (x - before) / elapsed if elapsed > 0.0 else math.nan
