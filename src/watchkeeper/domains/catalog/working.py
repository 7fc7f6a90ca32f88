"""When something is due after, or has to be begun before, so much working time of a calendar; without a calendar,
day and night. Pure over the calendar's table."""

from __future__ import annotations

from watchkeeper.domains.agreements.working import NeverWorked, WorkingTime

HOUR = 3_600_000
_FURTHEST = 366 * 24 * HOUR


def after(time: WorkingTime | None, from_ms: int, hours: float) -> int:
    """The instant at which this much working time will have passed since `from_ms`, Unix milliseconds."""
    amount = round(hours * HOUR)
    try:
        return time.due(from_ms, amount) if time else from_ms + amount
    except NeverWorked:
        return from_ms + amount


def before(time: WorkingTime | None, until_ms: int, hours: float) -> int:
    """The latest instant from which there is still this much working time until `until_ms`; of a calendar that has
    too little within a year, as if there were none."""
    amount = round(hours * HOUR)
    if time is None or amount <= 0 or time.worked(until_ms - _FURTHEST, until_ms) < amount:
        return until_ms - amount
    low, high = until_ms - _FURTHEST, until_ms  # enough from low, too little from high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if time.worked(middle, until_ms) >= amount else (low, middle)
    return low
