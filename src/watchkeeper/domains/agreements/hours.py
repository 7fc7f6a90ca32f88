"""Hours of a day and days that differ, as people write them. Pure.

A day is `09:00-12:00, 13:00-17:00`, `24h`, or nothing for a day off. Exceptions are one a line: a date, which may leave
out the year, then hours or `closed`, then a name.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

Spans = tuple[tuple[int, int], ...]
"""Minutes of the day from and until, in order, without overlap; 1440 is its end."""

DAY = 1440
_SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)")
_LINE = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)\s+(closed|24h|[\d:,\s–-]*\d)(?:\s+(.*))?")


class Unreadable(ValueError):
    """Not hours, or not a line of exceptions; the message says what was expected."""


def spans(text: str) -> Spans:
    """The hours of a day. Raises Unreadable.

    >>> spans("09:00-12:00, 13:00-17:30"), spans("24h"), spans("")
    (((540, 720), (780, 1050)), ((0, 1440),), ())
    """
    if text.strip() in ("", "closed"):
        return ()
    if text.strip() == "24h":
        return ((0, DAY),)
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise Unreadable(f"{part.strip()!r} is not hours such as 09:00-17:00, 24h or closed")
        begins, ends = (_minute(*match.group(i, i + 1)) for i in (1, 3))
        if begins >= ends:
            raise Unreadable(
                f"{part.strip()!r} ends before it begins; over midnight, use 24:00 and the next day"
            )
        if found and begins < found[-1][1]:
            raise Unreadable(f"{part.strip()!r} begins before the hours ahead of it end")
        found.append((begins, ends))
    return tuple(found)


def _minute(hour: str, minute: str) -> int:
    at = int(hour) * 60 + int(minute)
    if int(minute) > 59 or at > DAY:
        raise Unreadable(f"{hour}:{minute} is not a time of day")
    return at


@dataclass(frozen=True, slots=True)
class Differs:
    """A day, every year when `year` is 0, with hours of its own."""

    year: int
    month: int
    day: int
    spans: Spans
    name: str


def exceptions(text: str) -> Iterator[Differs]:
    """Days that differ. Raises Unreadable with the line.

    >>> [(e.year, e.day, e.spans, e.name) for e in exceptions("12-24 09:00-12:00 Christmas Eve\\n2026-06-05 closed")]
    [(0, 24, ((540, 720),), 'Christmas Eve'), (2026, 5, (), '')]
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        try:
            if match is None:
                raise Unreadable("not a day such as '2026-12-24 09:00-12:00 Christmas Eve' or '12-31 closed'")
            year, month, day, hours, name = match.groups()
            dt.date(int(year or 2024), int(month), int(day))  # 2024 has a 29 February
            yield Differs(int(year or 0), int(month), int(day), spans(hours.strip(" ,")), name or "")
        except ValueError as error:
            raise Unreadable(f"line {number}: {error}") from error
