"""How rare a deviation is against the largest of every six hours, and against the same hour of the last days.

Block maxima (Fisher and Tippett 1928; Gumbel 1958): the largest deviation of a block of time has a
distribution of its own, whatever that of the single points. Its median is learned from the last week's
blocks, which a few outages do not move; its spread is taken as fixed on a logarithmic scale (a Fréchet law).
So the chance says how often a block would hold such a deviation by itself, and a rate of false alarms in
time follows. What came at the same hour on both of the last two days (a nightly job) is a habit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import compiled

BLOCK = 6.0 * 3600.0
RING = 28
HOURS = 48  # half hours of a day
FLOOR = 4.0  # no block is expected to be calmer than this, in scales
PRIOR = 6  # blocks of that size that are assumed at the start
SPREAD = 0.25

BLOCKS = np.dtype(
    [
        ("ring", "f4", (RING,)),
        ("habit", "f4", (3, HOURS)),  # largest by half hour: today, yesterday, the day before
        ("usual", "f8"),
        ("largest", "f8"),
        ("began", "f8"),
        ("day", "f8"),
        ("count", "i4"),
    ],
    align=True,
)
"""State of one series."""


@compiled
def ratio(b: Any, x: float, seconds: float) -> float:
    """A deviation of `x` scales at time `seconds` as a multiple of the usual largest. Learns from it."""
    if b.usual == 0.0:
        b.usual, b.began, b.day = FLOOR, seconds, math.floor(seconds / 86_400.0)
    if seconds - b.began >= BLOCK:
        _close(b, seconds)
    half = int(seconds % 86_400.0 / 1800.0)
    if math.floor(seconds / 86_400.0) > b.day:
        _turn(b, math.floor(seconds / 86_400.0))
    yesterday, before = 0.0, 0.0
    for near in range(half - 1, half + 2):
        yesterday = max(yesterday, b.habit[1, near % HOURS])
        before = max(before, b.habit[2, near % HOURS])
    b.largest = max(b.largest, x)
    b.habit[0, half] = max(b.habit[0, half], x)
    multiple: float = x / max(b.usual, min(yesterday, before))
    return multiple


@compiled
def chance(multiple: float) -> float:
    """The chance that a block holds a deviation of this multiple of the usual largest or more.

    >>> 0.05 < chance(2.0) < 0.07, chance(4.0) < 0.004
    (True, True)
    """
    return -math.expm1(-math.exp(-math.log(max(multiple, 1e-3)) / SPREAD))


@compiled
def _close(b: Any, seconds: float) -> None:
    b.ring[b.count % RING] = b.largest
    b.count += 1
    b.largest, b.began = 0.0, seconds
    known = min(b.count, RING)
    size = max(known, PRIOR)
    values = np.full(size, FLOOR)
    for k in range(known):
        values[k] = b.ring[k]
    values.sort()
    b.usual = max(FLOOR, values[int(0.55 * (size - 1) + 0.5)])


@compiled
def _turn(b: Any, day: float) -> None:
    """A new day; after days without points the habits are older, but still habits."""
    for k in range(HOURS):
        b.habit[2, k], b.habit[1, k], b.habit[0, k] = b.habit[1, k], b.habit[0, k], 0.0
    b.day = day
