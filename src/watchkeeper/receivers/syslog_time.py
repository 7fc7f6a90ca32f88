"""When a syslog message says it was written: the spellings of RFC 5424, of RFC 3164 and of what network gear
makes of it. No clock: what a spelling leaves out comes from the time of arrival and the zone of this place.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PAST_MS = 31 * 86_400_000
FUTURE_MS = 86_400_000
HOUR_MS = 3_600_000  # now, where it decides the year, is taken to the hour

# Minutes east of Greenwich. Names that mean several zones (IST, CST in Asia) have their commonest meaning.
_ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120,
    "EEST": 180, "MSK": 180, "IST": 330, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720,
    "NZDT": 780, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
    "PST": -480, "PDT": -420,
}  # fmt: skip

_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
_OFFSET = r"[Zz]|[+-]\d\d:?\d\d"
_NAMED = "|".join(sorted(_ZONES, key=len, reverse=True))
_MONTH = "|".join(MONTHS)

ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ]{_CLOCK} ?(?P<zone>{_OFFSET}|)(?=[ :]|$)", re.ASCII
)
"""`2023-10-11T22:14:15.003Z`; a zone may be missing."""

BSD = re.compile(
    rf"(?P<month>{_MONTH}) {{1,2}}(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?{_CLOCK}"
    rf"(?: (?P<late_year>(?:19|20)\d\d)(?=[ :]))?(?: (?P<zone>(?:{_NAMED}|{_OFFSET})(?=[ :]|$)))?",
    re.ASCII,
)
"""`Oct 11 22:14:15`, and with year, fraction or zone, as Cisco and others add them."""

YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}}) (?P<month>{_MONTH}) {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}"
    rf"(?: (?P<zone>(?:{_NAMED}|{_OFFSET})(?=[ :]|$)))?",
    re.ASCII,
)
"""`2023 Oct 11 22:14:15 UTC`, as NX-OS writes."""


class Stamp(NamedTuple):
    """A time that was found: Unix nanoseconds and where the text goes on."""

    time_ns: int
    end: int


def find(text: str, at: int, now_ms: int, zone: int) -> Stamp | None:
    """The time written at this place, in whatever spelling; None when there is none or it is none (Feb 30).
    `zone` is this place's, in minutes east of Greenwich: what names no zone is in it."""
    for spelling in (BSD, ISO, YEAR_FIRST):
        match = spelling.match(text, at)
        if match is not None:
            time_ns = unix_ns(match, now_ms, zone)
            return None if time_ns is None else Stamp(time_ns, match.end())
    return None


def unix_ns(match: re.Match[str], now_ms: int, zone: int) -> int | None:
    """Unix nanoseconds of a match of one of the spellings, None when there is no such time. Without a year it
    is the latest that is not in the future, but for a day that clocks and zones may differ: a message of
    December may arrive in January."""
    year, month, day, hour, minute, second, named = match.group(
        "year", "month", "day", "hour", "minute", "second", "zone"
    )
    if year is None and match.re is BSD:
        year = match["late_year"]
    seconds = _unix_s(year, month, day, hour, minute, second, named or "", zone, now_ms // HOUR_MS)
    if seconds is None:
        return None
    fraction = match["fraction"]
    return seconds * 10**9 + (int(fraction.ljust(9, "0")) if fraction else 0)


@lru_cache(1024)
def _unix_s(
    year: str | None,
    month: str,
    day: str,
    hour: str,
    minute: str,
    second: str,
    named: str,
    zone: int,
    now_h: int,
) -> int | None:
    """Kept because the messages of a second share it."""
    number = int(month) if month.isdigit() else MONTHS.index(month) + 1
    clock = int(hour) * 3600 + int(minute) * 60 + int(second)
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        return None
    offset = _offset(named, zone) * 60
    latest = now_h * 3600 + FUTURE_MS // 1000 + offset
    this_year = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=latest)).year
    years = (int(year),) if year else (this_year - 1, this_year)
    found = [m + clock for y in years if (m := _midnight(y, number, int(day))) is not None]
    return max((s for s in found if s <= latest), default=found[0]) - offset if found else None


def plausible(time_ns: int, now_ms: int) -> bool:
    """Whether a message that arrives now can be of this time; else the sender's clock was never set."""
    return now_ms - PAST_MS <= time_ns // 1_000_000 <= now_ms + FUTURE_MS


def iso(time_ns: int) -> str:
    """The time as RFC 3339 in UTC, to the second."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_ns // 10**9)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def _offset(text: str, zone: int) -> int:
    if not text:
        return zone
    if text[0] in "+-":
        minutes = int(text[1:3]) * 60 + int(text[-2:])
        return -minutes if text[0] == "-" else minutes
    return _ZONES[text.upper()]


def _midnight(year: int, month: int, day: int) -> int | None:
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        return None
