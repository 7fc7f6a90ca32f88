"""How rare a deviation is against the largest of every block of hours, and against this time of the last days.

Block maxima (Fisher and Tippett 1928; Gumbel 1958): the largest deviation of a block of time has a
distribution of its own, whatever that of the single points. Its median is learned from the last week's
blocks, which a few outages do not move; its spread is taken as fixed on a logarithmic scale (a Fréchet law).
So the chance says how often a block would hold such a deviation by itself, and a rate of false alarms in
time follows. What came at the same time of day on both of the last two days (a nightly job) is a habit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import compiled, inlined

BLOCK, BLOCK_POINTS = 6.0 * 3600.0, 360.0  # seconds and points of a block at least
RING = 56
QUARTERS = 96  # quarter hours of a day
FLOOR, LEAST = 4.0, 2.0  # no block is expected to be calmer than this, in scales: at first, and in the end
KNOWN = 14  # blocks after which the floor sinks
ABOUT = 3  # quarter hours around a time within which a habit may wander
PRIOR = 6  # blocks of that size that are assumed at the start
SPREAD = 0.25

BLOCKS = np.dtype(
    [
        ("usual", "f8"),
        ("largest", "f8"),
        ("began", "f8"),
        ("day", "f8"),
        ("count", "i4"),
        ("habit", "f4", (QUARTERS, 3)),  # largest by quarter hour: today, yesterday, the day before
        ("ring", "f4", (RING,)),
    ]
)
"""State of one series."""


@compiled
def length(step: float) -> float:
    """Seconds in a block of a series with this many seconds between points."""
    return max(BLOCK, BLOCK_POINTS * step)


@inlined
def ratio(
    b: Any, x: float, seconds: float, date: float, second_of_day: float, step: float
) -> tuple[float, float]:
    """A deviation of `x` scales at a time (in seconds, and as day number and second of the day) as a multiple of
    the usual largest, or of the habit of these minutes; and what is a habit at about this time, in scales. Learns
    from it."""
    if b.usual == 0.0:
        b.usual, b.began, b.day = FLOOR, seconds, date
    if seconds - b.began >= length(step):
        _close(b, seconds)
    quarter = int(second_of_day / 900.0)
    if date > b.day:
        _turn(b, date)
    narrow, wide = _habit(b, quarter, 1), _habit(b, quarter, ABOUT)
    b.largest = max(b.largest, x)
    b.habit[quarter, 0] = max(b.habit[quarter, 0], x)
    return x / max(b.usual, narrow), wide


@inlined
def _habit(b: Any, quarter: int, about: int) -> float:
    """The largest within so many quarter hours on both of the last two days."""
    yesterday, before = 0.0, 0.0
    for k in range(-about, about + 1):
        near = quarter + k
        near = near + QUARTERS if near < 0 else near - QUARTERS if near >= QUARTERS else near
        yesterday = max(yesterday, b.habit[near, 1])
        before = max(before, b.habit[near, 2])
    return min(yesterday, before)


@compiled
def chance(multiple: float) -> float:
    """The chance that a block holds a deviation of this multiple of the usual largest or more.

    >>> 0.05 < chance(2.0) < 0.07, chance(4.0) < 0.004
    (True, True)
    """
    return -math.expm1(-math.exp(-math.log(max(multiple, 1e-3)) / SPREAD))


@inlined
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
    floor = max(LEAST, FLOOR * min(1.0, KNOWN / b.count))
    b.usual = max(floor, values[int(0.55 * (size - 1) + 0.5)])


@inlined
def _turn(b: Any, day: float) -> None:
    """A new day; after days without points the habits are older, but still habits."""
    for k in range(QUARTERS):
        b.habit[k, 2], b.habit[k, 1], b.habit[k, 0] = b.habit[k, 1], b.habit[k, 0], 0.0
    b.day = day
