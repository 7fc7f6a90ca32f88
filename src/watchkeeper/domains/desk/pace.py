"""Whether a promise about a ticket will be broken, from how long like tickets took. Pure.

Of those that took at least as long as this one has, so many took longer than what is promised: that share is the
probability, and their median is what is expected (a Kaplan-Meier estimate without what is still open).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 8  # tickets from which something can be said


@dataclass(frozen=True, slots=True)
class Chance:
    """`late` is the probability, None where there is too little to go by; `expected_ms` how much working time it is expected
    to take in all; of `like` tickets, `lasted` took at least as long as this one, and `longer` more than is promised."""

    late: float | None
    expected_ms: int | None
    like: int
    lasted: int
    longer: int


def chance(took: Sequence[int], used_ms: int, promised_ms: int) -> Chance:
    """From the working times that like tickets took, in order.

    >>> chance([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 6, 8)
    Chance(late=0.5, expected_ms=8, like=10, lasted=4, longer=2)
    >>> chance([1, 2], 1, 2).late is None, chance([1] * 10, 3, 2).late, chance([1] * 10, 3, 5).late
    (True, 1.0, None)
    """
    begin = bisect_right(took, used_ms)
    lasted, longer = len(took) - begin, len(took) - max(begin, bisect_right(took, promised_ms))
    if used_ms > promised_ms:
        return Chance(1.0, None, len(took), lasted, longer)
    if len(took) < LEAST or not lasted:
        return Chance(None, None, len(took), lasted, longer)
    return Chance(longer / lasted, took[begin + (lasted - 1) // 2], len(took), lasted, longer)
