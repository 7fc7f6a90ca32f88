"""What a person has called usual: the same thing of the same series is not told again, as far as it was seen."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

DAY_MINUTES, WEEK_MINUTES = 1440, 10_080
#: beyond the values that were called usual, as a share of how far these were out
MORE = 0.1
#: before and after the time of day that was called usual
AROUND_MINUTES = 60
_MINUTE_MS = 60_000
#: where a week of minutes begins, so that it is a Monday's first (the epoch was a Thursday)
_MONDAY = 3 * DAY_MINUTES


class When(StrEnum):
    """At what times it is usual."""

    ALWAYS = "always"
    HOUR = "hour"  # at this time of day
    WEEK = "week"  # at this time of this day of the week


#: as people choose it
WHENS = [
    (When.ALWAYS.value, "at any time"),
    (When.HOUR.value, "at this time of day"),
    (When.WEEK.value, "at this time of this day of the week"),
]
PERIODS = {When.ALWAYS: 0, When.HOUR: DAY_MINUTES, When.WEEK: WEEK_MINUTES}


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is that of the findings meant. With `up` it is about values: those from the edge of the usual range to `bound`
    and a tenth beyond it, on that side only. With `period` (minutes, 0: at any time) it is about the `length` minutes after
    minute `begin` of each day or week (UTC). `until_ms` 0: until it is taken back."""

    id: str
    key: str
    by: str
    why: str = ""
    up: bool | None = None
    edge: float = 0.0
    bound: float = 0.0
    period: int = 0
    begin: int = 0
    length: int = 0
    until_ms: int = 0

    def covers(self, time_ms: int, up: bool | None = None, value: float = 0.0) -> bool:
        """Whether this was called usual: at this time, on this side, this far.

        >>> j = Judgement(id="1", key="level|1", by="ann", up=True, edge=50.0, bound=90.0)
        >>> j.covers(0, True, 93.0), j.covers(0, True, 95.0), j.covers(0, False, 10.0)
        (True, False, False)
        """
        if self.until_ms and time_ms >= self.until_ms:
            return False
        if self.period and (minute_of(time_ms, self.period) - self.begin) % self.period > self.length:
            return False
        if self.up is None:
            return True
        if up is not self.up:
            return False
        most = self.bound + MORE * (self.bound - self.edge)
        return value <= most if self.up else value >= most


class HeldBack(NamedTuple):
    """Something that would have been told, had `judgement` not called it usual."""

    judgement: str
    time_ms: int  # when it began
    text: str


def minute_of(time_ms: int, period: int) -> int:
    """The minute of the day or week (from Monday, UTC).

    >>> minute_of(90_000, DAY_MINUTES), minute_of(90_000, WEEK_MINUTES)
    (1, 4321)
    """
    return (time_ms // _MINUTE_MS + (_MONDAY if period == WEEK_MINUTES else 0)) % period


def span(began_ms: int, ended_ms: int, period: int) -> tuple[int, int]:
    """`begin` and `length` of a judgement about what lasted from then to then, with an hour on both sides; when that is
    nearly all of the period, all of it.

    >>> span(7_200_000, 10_800_000, DAY_MINUTES)
    (60, 180)
    """
    length = (ended_ms - began_ms) // _MINUTE_MS + 2 * AROUND_MINUTES
    return minute_of(began_ms - AROUND_MINUTES * _MINUTE_MS, period), min(max(length, 0), period)
