"""When something holds: once, or again and again by an RFC 5545 rule in the wall time of a zone. Pure: the time that is
asked about is passed in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from dateutil.rrule import rrule, rruleset

from watchkeeper.model.errors import Malformed
from watchkeeper.model.recurrence import Steps, TooFar, followed, parse

YEARS = 30  # a rule without an end is followed for so long
_RULE = re.compile(r"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*")
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYWEEKNO", "BYYEARDAY",
          "WKST"}  # fmt: skip
_DAY = dt.timedelta(days=1)


class Schedule(msgspec.Struct, frozen=True):
    """From one time to another (Unix milliseconds, the end excluded), and so again at every occurrence of `rule`: then
    it begins and ends at the same wall time of `zone` each time. The occurrence that starts at `changed_ms` ends at
    `changed_end_ms` instead (ended early, or extended); so do those that were changed before it, by begin and end."""

    starts_ms: int
    ends_ms: int
    rule: str = ""
    zone: str = "UTC"
    changed_ms: int = 0
    changed_end_ms: int = 0
    changed_before: tuple[tuple[int, int], ...] = ()

    def occurrences(self, from_ms: int) -> Iterator[tuple[int, int]]:
        """Start and end of each occurrence that ends after `from_ms`, in order of their starts."""
        changed = {**dict(self.changed_before), self.changed_ms: self.changed_end_ms}
        for starts, planned in self._planned(from_ms, changed):
            ends = changed.get(starts, planned)
            if ends > max(from_ms, starts):
                yield starts, ends

    def current(self, now_ms: int) -> tuple[int, int] | None:
        """The occurrence that holds now."""
        starts, ends = next(self.occurrences(now_ms), (0, 0))
        return (starts, ends) if starts <= now_ms < ends else None

    def next_change(self, now_ms: int) -> int:
        """When it next begins or ends; 0 when it never will again."""
        starts, ends = next(self.occurrences(now_ms), (0, 0))
        return starts if starts > now_ms else ends

    def _planned(self, from_ms: int, changed: dict[int, int]) -> Iterator[tuple[int, int]]:
        if not self.rule:
            yield self.starts_ms, self.ends_ms
            return
        zone = ZoneInfo(self.zone)
        first, last = _wall(self.starts_ms, zone), _wall(self.ends_ms, zone)
        length = last - first
        since = _wall(from_ms, zone) - length - _DAY
        since = min([since, *(_wall(b, zone) - _DAY for b, e in changed.items() if e > from_ms)])
        for begin in parse_rule(self.rule, first).xafter(since, inc=True):
            yield _instant(begin, zone), _instant(begin + length, zone, late=True)


def next_of(every: dt.timedelta, now: dt.datetime) -> dt.datetime:
    """The next of the instants so far apart, counted from 1970: the same whoever asks before it.

    >>> next_of(dt.timedelta(minutes=15), dt.datetime(2026, 3, 3, 9, 15, tzinfo=dt.UTC)).isoformat()
    '2026-03-03T09:30:00+00:00'
    """
    step = every.total_seconds()
    return dt.datetime.fromtimestamp((now.timestamp() // step + 1) * step, dt.UTC)


@lru_cache(maxsize=512)
def parse_rule(text: str, first: dt.datetime) -> rrule | rruleset:
    """The rule, whose first occurrence is not before `first` (a wall time without a zone); one that never occurs is
    found to be so once, not whenever somebody asks when it does. Raises Malformed.

    >>> next(iter(parse_rule("FREQ=WEEKLY;BYDAY=SU", dt.datetime(2026, 1, 1, 2)))).isoformat()
    '2026-01-04T02:00:00'
    """
    names = [part.partition("=")[0] for part in text.split(";")]
    if len(text) > 200 or not _RULE.fullmatch(text) or len(set(names)) != len(names) or set(names) - _PARTS:
        raise Malformed(
            "not a rule such as FREQ=WEEKLY;INTERVAL=2;BYDAY=SU (daily at the most, no times of day)"
        )
    try:
        found = parse(text, first)
        next(followed(text, first, Steps()), None)
    except TooFar:
        return rruleset()
    except ValueError as error:
        raise Malformed(f"this rule cannot be followed: {error}") from error
    if not {"COUNT", "UNTIL"} & set(names):
        found = found.replace(until=first.replace(year=first.year + YEARS, day=min(first.day, 28)))
    return found


def _wall(ms: int, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)


def _instant(wall: dt.datetime, zone: ZoneInfo, *, late: bool = False) -> int:
    """A wall time as an instant. One that the clocks show twice is the first of the two, or the second when `late`; one
    that they skip is as far after the change as it would have been."""
    first, second = (wall.replace(tzinfo=zone, fold=f) for f in (0, 1))
    return round((max(first.timestamp(), second.timestamp()) if late and _twice(first, second)
                  else first.timestamp()) * 1000)  # fmt: skip


def _twice(first: dt.datetime, second: dt.datetime) -> bool:
    return second.timestamp() > first.timestamp()
