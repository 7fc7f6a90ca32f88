"""When a syslog message says it was written: the spellings of RFC 5424, of RFC 3164 and of what network gear
makes of it. No clock: what a spelling leaves out comes from the time of arrival and the zone of this place.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PAST_MS = 31 * 86_400_000
FUTURE_MS = 86_400_000

# Minutes east of Greenwich. Names that mean several zones (IST, CST in Asia) have their commonest meaning.
_ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120,
    "EEST": 180, "MSK": 180, "IST": 330, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
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
    part = match.groupdict()
    month = int(part["month"]) if part["month"].isdigit() else MONTHS.index(part["month"]) + 1
    clock = int(part["hour"]), int(part["minute"]), int(part["second"])
    if clock[0] > 23 or clock[1] > 59 or clock[2] > 60:
        return None
    minutes = _offset(part["zone"] or "", zone)
    now_s = now_ms // 1000
    written = part["year"] or part.get("late_year")
    this_year = _civil(now_s + minutes * 60).year
    years = (int(written),) if written else (this_year - 1, this_year, this_year + 1)
    seconds = [s for year in years if (s := _seconds(year, month, int(part["day"]), clock)) is not None]
    if not seconds:
        return None
    latest = now_s + FUTURE_MS // 1000 + minutes * 60
    chosen = max((s for s in seconds if s <= latest), default=seconds[0]) - minutes * 60
    return chosen * 10**9 + int((part["fraction"] or "").ljust(9, "0"))


def plausible(time_ns: int, now_ms: int) -> bool:
    """Whether a message that arrives now can be of this time; else the sender's clock was never set."""
    return now_ms - PAST_MS <= time_ns // 1_000_000 <= now_ms + FUTURE_MS


def iso(time_ns: int) -> str:
    """The time as RFC 3339 in UTC, to the second."""
    return _civil(time_ns // 10**9).strftime("%Y-%m-%dT%H:%M:%SZ")


def _offset(text: str, zone: int) -> int:
    if not text:
        return zone
    if text[0] in "+-":
        minutes = int(text[1:3]) * 60 + int(text[-2:])
        return -minutes if text[0] == "-" else minutes
    return _ZONES[text.upper()]


def _seconds(year: int, month: int, day: int, clock: tuple[int, int, int]) -> int | None:
    try:
        midnight = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return int(midnight.timestamp()) + clock[0] * 3600 + clock[1] * 60 + clock[2]


def _civil(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
