"""The numbers of a monthly report. Pure; times are Unix milliseconds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec


class Broken(msgspec.Struct, frozen=True):
    """A promise that was not kept. `reason` is what was said when it was resolved, or in which state it is."""

    number: str
    title: str
    promise: str
    late_minutes: int
    reason: str


class Kept(msgspec.Struct, frozen=True):
    """Of one sort of promise, in the month."""

    kept: int = 0
    broken: int = 0

    @property
    def share(self) -> float | None:
        """Kept of all; None where nothing was promised."""
        return self.kept / (self.kept + self.broken) if self.kept + self.broken else None


class Objective(msgspec.Struct, frozen=True):
    """How an objective did within the month, in percent; `counted_all` is what would have been attained had planned
    maintenance counted, `left` the error budget of the month. None: nothing was measured."""

    name: str
    service: str
    target: float
    attained: float | None
    counted_all: float | None
    left: float | None
    excluded_seconds: int


class Times(msgspec.Struct, frozen=True):
    """Of incidents, in minutes by the clock on the wall: mean and median; None where there were none."""

    mean: float | None = None
    median: float | None = None


class Content(msgspec.Struct, frozen=True):
    """All that a report says."""

    month: str
    about: str
    opened: int
    solved: int
    still_open: int
    by_priority: dict[str, int]
    answers: Kept
    resolutions: Kept
    broken: list[Broken]
    acknowledge: Times
    resolve: Times
    objectives: list[Objective]


def times(spans_ms: Iterable[int]) -> Times:
    """Of spans in milliseconds.

    >>> times([60_000, 120_000, 600_000])
    Times(mean=4.333333333333333, median=2.0)
    """
    listed = sorted(s / 60_000 for s in spans_ms)
    if not listed:
        return Times()
    middle = len(listed) // 2
    median = listed[middle] if len(listed) % 2 else (listed[middle - 1] + listed[middle]) / 2
    return Times(sum(listed) / len(listed), median)


def kept(verdicts: Sequence[bool]) -> Kept:
    """Of whether each promise was kept."""
    return Kept(sum(verdicts), len(verdicts) - sum(verdicts))


def month_before(day: dt.date) -> dt.date:
    """The first day of the month before this day's.

    >>> month_before(dt.date(2026, 1, 15)).isoformat()
    '2025-12-01'
    """
    return (day.replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def month_after(month: dt.date) -> dt.date:
    """The first day of the next month.

    >>> month_after(dt.date(2026, 12, 1)).isoformat()
    '2027-01-01'
    """
    return (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
