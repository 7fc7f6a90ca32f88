"""Working time: how much of it lies between two instants, and when an amount of it will have passed. Pure; whoever
asks passes the time.

Every stretch of working time of some years becomes a row of a table with what was worked before it, so that a question
is two binary searches, whatever lies between. Work is done while the clocks of a zone show its hours: a night
shift is an hour shorter or longer when they change.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from threading import RLock
from zoneinfo import ZoneInfo

from watchkeeper.domains.agreements.hours import Spans

YEARS = 10  # a calendar that has no working time in so many years never will


@dataclass(frozen=True, slots=True)
class Calendar:
    """When work is done: hours for Monday to Sunday, and for days that differ. `closed` are public holidays."""

    zone: str
    week: tuple[Spans, ...]
    days: Mapping[dt.date, Spans] = field(default_factory=dict)
    yearly: Mapping[tuple[int, int], Spans] = field(default_factory=dict)  # by month and day
    closed: Container[dt.date] = ()

    def hours(self, day: dt.date) -> Spans:
        """The hours of a day: what is said of this date, else of it every year, else none on a public holiday, else those
        of its weekday."""
        if day in self.days:
            return self.days[day]
        if (day.month, day.day) in self.yearly:
            return self.yearly[day.month, day.day]
        return () if day in self.closed else self.week[day.weekday()]


class NeverWorked(Exception):
    """The calendar has no working time within YEARS."""


class WorkingTime:
    """The table of a calendar; it grows with what it is asked, a year at a time. Times are Unix milliseconds. Threads may
    share it.

    >>> office = WorkingTime(Calendar("UTC", (((540, 1020),),) * 5 + ((), ())))
    >>> friday = 1_767_950_000_000  # 2026-01-09 09:13:20
    >>> office.due(friday, 8 * 3_600_000) - friday == (3 * 24) * 3_600_000  # Monday, 09:13:20
    True
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._zone = ZoneInfo(calendar.zone)
        self._lock = RLock()  # while it grows
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []  # worked before this stretch
        self._first = self._last = dt.date.max  # days that the table covers, the last excluded

    def worked(self, from_ms: int, until_ms: int) -> int:
        """Milliseconds of working time between two instants; 0 when the second is not later."""
        if until_ms <= from_ms:
            return 0
        with self._lock:
            self._cover(from_ms, until_ms)
            return self._so_far(until_ms) - self._so_far(from_ms)

    def due(self, from_ms: int, amount_ms: int) -> int:
        """The instant at which this much working time will have passed since; the earliest one. Raises NeverWorked."""
        if amount_ms <= 0:
            return from_ms
        with self._lock:
            self._cover(from_ms, from_ms)
            wanted = self._so_far(from_ms) + amount_ms
            for _ in range(YEARS):
                if self._total() >= wanted:
                    at = bisect_right(self._before, wanted - 1) - 1
                    return self._starts[at] + wanted - self._before[at]
                self._extend(self._last + dt.timedelta(days=366))
        raise NeverWorked(f"no working time in {YEARS} years")

    def open_at(self, at_ms: int) -> bool:
        """Whether work is done at this instant."""
        with self._lock:
            self._cover(at_ms, at_ms)
            at = bisect_right(self._starts, at_ms) - 1
            return at >= 0 and at_ms < self._ends[at]

    def next_change(self, at_ms: int) -> int | None:
        """When work next begins or stops; None when it does not within YEARS."""
        with self._lock:
            self._cover(at_ms, at_ms)
            for _ in range(YEARS):
                at = bisect_right(self._starts, at_ms) - 1
                if at + 1 < len(self._starts):  # the last stretch may go on in what is not in the table yet
                    return self._ends[at] if at >= 0 and at_ms < self._ends[at] else self._starts[at + 1]
                self._extend(self._last + dt.timedelta(days=366))
        return None

    def _total(self) -> int:
        return self._before[-1] + self._ends[-1] - self._starts[-1] if self._before else 0

    def _so_far(self, at_ms: int) -> int:
        at = bisect_right(self._starts, at_ms) - 1
        return 0 if at < 0 else self._before[at] + min(at_ms, self._ends[at]) - self._starts[at]

    def _cover(self, from_ms: int, until_ms: int) -> None:
        first, last = (self._day(ms) for ms in (from_ms, until_ms))
        if first <= self._first:  # begin anew, earlier
            self._starts, self._ends, self._before = [], [], []
            last = max(last, self._last if self._last < dt.date.max else last)
            self._first = self._last = first - dt.timedelta(days=31)
        if last >= self._last:
            self._extend(last + dt.timedelta(days=366))

    def _day(self, ms: int) -> dt.date:
        return dt.datetime.fromtimestamp(ms / 1000, self._zone).date()

    def _extend(self, until: dt.date) -> None:
        for number in range(self._last.toordinal(), until.toordinal()):
            for starts, ends in self._stretches(dt.date.fromordinal(number)):
                if self._ends and starts <= self._ends[-1]:
                    self._ends[-1] = max(ends, self._ends[-1])  # 24:00 and the next day's 00:00 are one
                else:
                    self._before.append(self._total())
                    self._starts.append(starts)
                    self._ends.append(ends)
        self._last = until

    def _stretches(self, day: dt.date) -> Iterator[tuple[int, int]]:
        hours = self.calendar.hours(day)
        if not hours:
            return
        midnight = dt.datetime.combine(day, dt.time(), self._zone)
        next_midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(fold=1), self._zone)
        begin, end = (round(at.timestamp()) for at in (midnight, next_midnight))
        if midnight.utcoffset() == next_midnight.utcoffset():
            for since, until in hours:
                yield (begin + since * 60) * 1000, (begin + until * 60) * 1000
            return
        for at in range(begin, end, 60):  # the clocks change: work is done while they show its hours
            wall = dt.datetime.fromtimestamp(at, self._zone)
            minute = wall.hour * 60 + wall.minute
            if wall.date() == day and any(a <= minute < b for a, b in hours):
                yield at * 1000, (at + 60) * 1000
