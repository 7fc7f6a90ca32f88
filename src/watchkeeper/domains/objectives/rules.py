"""The arithmetic of objectives: what a slot of time counts for, what of the error budget is left, how fast it burns, and
which burn rates are an alert (Google, The Site Reliability Workbook, chapter 5). Pure.

A slot is a short stretch of time with its good and all events; NaN where nothing was measured. Slots that are excluded
count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.domains.objectives.putting import BurnRule, Method

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Counted:
    """What each slot counts for: `good` of `total` units of the budget, in order of time. 0 of 0 where it counts for
    nothing. `measured` and `excluded` are numbers of slots."""

    good: Array
    total: Array
    measured: int
    excluded: int

    @property
    def bad(self) -> Array:
        """What each slot takes from the budget."""
        return self.total - self.good


@dataclass(frozen=True, slots=True)
class Budget:
    """`attained` is the share that was good, `left` the share of the budget that is (negative: overspent)."""

    attained: float
    left: float


def counted(good: Array, total: Array, excluded: Flags, method: Method, slice_target: float = 0.0) -> Counted:
    """What these slots count for. A slice in which nothing was asked for is a good one; one that was not measured is none.

    >>> g, t, x = np.array([9.0, 5.0, np.nan]), np.array([10.0, 10.0, np.nan]), np.zeros(3, dtype=bool)
    >>> counted(g, t, x, Method.OCCURRENCES).bad.tolist()
    [1.0, 5.0, 0.0]
    >>> counted(g, t, x, Method.TIMESLICES, 0.9).bad.tolist()
    [0.0, 1.0, 0.0]
    """
    measured = np.isfinite(total) & np.isfinite(good)
    counts = measured & ~excluded
    all_of = np.where(counts, total, 0.0)
    fine = np.clip(np.where(counts, good, 0.0), 0.0, all_of)
    if method is not Method.OCCURRENCES:
        share = np.divide(fine, all_of, out=np.ones_like(fine), where=all_of > 0)
        value = share if method is Method.RATIO_TIMESLICES else (share >= slice_target).astype(np.float64)
        all_of = counts.astype(np.float64)
        fine = value * all_of
    return Counted(fine, all_of, int(measured.sum()), int(excluded.sum()))


def budget(found: Counted, target: float, slices: int = 0) -> Budget | None:
    """What is left. `slices` of the whole window without those that are excluded, for methods that count slices: their
    budget is known from the start; that of events grows with them. None while nothing was counted.

    >>> half = Counted(np.array([99.0, 99.5]), np.array([100.0, 100.0]), 2, 0)
    >>> b = budget(half, 0.99)
    >>> round(b.attained, 4), round(b.left, 2)
    (0.9925, 0.25)
    """
    total, bad = float(found.total.sum()), float(found.bad.sum())
    if total <= 0:
        return None
    allowed = (1 - target) * max(total, slices)
    return Budget(1 - bad / total, 1 - bad / allowed)


def burn(found: Counted, target: float, slots: int) -> float:
    """How many times as fast as the objective allows the budget went over the last so many slots; 0 where nothing was
    asked for.

    >>> burn(Counted(np.array([100.0, 90.0]), np.array([100.0, 100.0]), 2, 0), 0.99, 1)
    10.0
    """
    total, bad = float(found.total[-slots:].sum()), float(found.bad[-slots:].sum())
    return round(bad / total / (1 - target), 9) if total > 0 else 0.0


def burning(
    found: Counted, target: float, step_s: int, rules: Iterable[BurnRule]
) -> tuple[BurnRule, float] | None:
    """The most urgent rule that both of its windows are over, with the burn rate of the long one; None when there is
    none. Windows are at least one slot."""
    for rule in sorted(rules, key=lambda r: -r.rate):
        long, short = (burn(found, target, max(1, s // step_s)) for s in (rule.long_s, rule.short_s))
        if long > rule.rate and short > rule.rate:
            return rule, long
    return None


def left_over_time(
    found: Counted, target: float, slices: int = 0, points: int = 160
) -> tuple[Sequence[int], list[float]]:
    """The burn-down: slots since the window began, and what of the budget was left after each, of at most so many
    points. It is the budget of the whole window, as it is now, that the errors so far have been taken from."""
    total = float(found.total.sum())
    if total <= 0:
        return [], []
    allowed = (1 - target) * max(total, slices)
    left = 1 - np.cumsum(found.bad) / allowed
    at = np.unique(np.linspace(0, len(left) - 1, min(points, len(left))).astype(int))
    return (at + 1).tolist(), [round(v, 6) for v in left[at].tolist()]


def hourly_errors(found: Counted, per_hour: int) -> Array:
    """Errors of each hour, as a share of what an hour of the window counts on average: rows of a forecast. The last hour is
    whole."""
    whole = len(found.total) // per_hour
    cut = len(found.total) - whole * per_hour
    bad, total = (x[cut:].reshape(whole, per_hour).sum(axis=1) for x in (found.bad, found.total))
    mean = total.sum() / max(1, np.count_nonzero(total))
    return np.clip(np.where(total > 0, bad / mean, np.nan), 0, 1) if mean > 0 else np.full(whole, np.nan)
