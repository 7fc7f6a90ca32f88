"""Events of a calendar (RFC 5545) within a time, with what repeats spelled out. Pure; times are passed in.

A file that is broken is refused with the line or the event that is, and nothing of it is taken.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar

from watchkeeper.domains.timetables.zones import own_zones, several
from watchkeeper.model.recurrence import Steps, followed

SIZE = 1024 * 1024  # bytes
MOST = 2_000  # events, and what they come to
_DATE = 10  # steps that a date written out takes
_DAY = dt.timedelta(days=1)
_EARLIEST = dt.date(1970, 1, 1)
_FREQUENT = ("SECONDLY", "MINUTELY", "HOURLY")
_WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
)  # as icalendar, dateutil and dates say it
Moment = dt.datetime | dt.date


class Broken(ValueError):
    """Not a calendar that can be read; the message names the line or the event."""


class TooMuch(Broken):
    """More than is read of one file."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event, or one time of an event that repeats. `key` is the same whenever it is read; `people` are addresses of
    those who attend; a day as a whole has `all_day`."""

    key: str
    title: str
    begins: dt.datetime
    ends: dt.datetime
    people: tuple[str, ...] = ()
    all_day: bool = False


def read(data: bytes, zone: str, begins: dt.datetime, ends: dt.datetime) -> list[Occurrence]:
    """What happens between two instants, in order. Times without a zone, and days, are meant in `zone`. Raises Broken."""
    found: list[Occurrence] = []
    local = ZoneInfo(zone)
    steps = Steps()  # for the whole file, whatever of it repeats
    events = _events(data, steps)
    spelled = _spelled(events, local)
    for number, event in enumerate(events, 1):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        try:
            for one in _occurrences(event, local, begins, ends, steps):
                if event.get("RECURRENCE-ID") is None and (str(event.get("UID", "")), one.begins) in spelled:
                    continue
                found.append(one)
                if len(found) > MOST:
                    raise TooMuch(f"more than {MOST} events within a year")
        except TooMuch:
            raise
        except _UNREADABLE as error:
            raise Broken(f"{_named(event, number)}: {error}") from error
    return sorted(found, key=lambda o: (o.begins, o.key))


def _spelled(events: list[Any], zone: ZoneInfo) -> set[tuple[str, dt.datetime]]:
    """The times of series that an event of their own replaces, by the UID of the series."""
    found = set()
    for number, event in enumerate(events, 1):
        instead = several(event, "RECURRENCE-ID")
        if len(instead) > 1 or len(several(event, "DTSTART")) > 1:
            raise Broken(f"{_named(event, number)}: it says twice when it begins")
        try:
            found |= {(str(event.get("UID", "")), _at(i.dt, zone)) for i in instead}
        except _UNREADABLE as error:
            raise Broken(f"{_named(event, number)}: {error}") from error
    return found


def _events(data: bytes, steps: Steps) -> list[Any]:
    if len(data) > SIZE:
        raise Broken(f"the file is larger than {SIZE // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Broken(f"byte {error.start} is not UTF-8, as calendars are written") from error
    if not text.lstrip().upper().startswith("BEGIN:VCALENDAR"):
        raise Broken("line 1: a calendar begins with BEGIN:VCALENDAR")
    _balanced(text)
    try:
        with own_zones(steps):
            parsed = Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError) as error:
        raise Broken(_line_of(text, str(error))) from error
    events = [e for calendar in parsed for e in calendar.walk("VEVENT")]
    if len(events) > MOST:
        raise Broken(f"more than {MOST} events")
    for number, event in enumerate(events, 1):
        for name, words in event.errors:
            raise Broken(_line_of(text, f"{_named(event, number)}: {f'{name}: ' if name else ''}{words}"))
    return events


def _balanced(text: str) -> None:
    """Every BEGIN has its END. Raises Broken with the line."""
    opened: list[tuple[str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        word, _, name = line.strip().upper().partition(":")
        if word == "BEGIN":
            opened.append((name, number))
        elif word == "END":
            if not opened or opened[-1][0] != name:
                raise Broken(f"line {number}: END:{name} ends nothing that has begun")
            opened.pop()
    if opened:
        name, number = opened[-1]
        raise Broken(f"line {number}: BEGIN:{name} never ends; is the file cut off?")


def _line_of(text: str, words: str) -> str:
    """These words, with the number of the line that they quote."""
    quoted = [part for part in words.split("'") if part.strip()]
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare and any(bare == q or (len(q) > 3 and bare.endswith(f":{q}")) for q in quoted[1::2] or quoted):
            return f"line {number}: {words}"
    return words


def _named(event: Any, number: int) -> str:
    title = str(event.get("SUMMARY", "")).strip()
    return f"event {number}, {title[:60]!r}" if title else f"event {number}"


def _occurrences(
    event: Any, zone: ZoneInfo, begins: dt.datetime, ends: dt.datetime, steps: Steps
) -> Iterator[Occurrence]:
    if (start := event.get("DTSTART")) is None:
        raise Broken("it has no DTSTART")
    first: Moment = start.dt
    if "TZID" in start.params and getattr(first, "tzinfo", None) is None:
        raise Broken(f"its time zone {str(start.params['TZID'])[:60]!r} is not known")
    if (first.date() if isinstance(first, dt.datetime) else first) < _EARLIEST:
        raise Broken(f"it begins before {_EARLIEST.year}")
    all_day = not isinstance(first, dt.datetime)
    lasts = _length(event, first, zone)
    title = str(event.get("SUMMARY", "")).strip()
    uid = str(event.get("UID", "")) or f"{title} {first}"
    moved = several(event, "RECURRENCE-ID")  # it stays the one of the series that it was
    people = tuple(p.lower() for p in _addresses(event))
    for at in _times(event, first, zone, begins - lasts, ends, steps):
        until = _at((at.date() if all_day else at) + lasts, zone)
        if until > begins and until > at and at < ends:
            which = (_at(moved[0].dt, zone) if moved else at).astimezone(dt.UTC)
            yield Occurrence(f"{uid} {which:%Y%m%dT%H%M%SZ}", title, at, until, people, all_day)


def _length(event: Any, first: Moment, zone: ZoneInfo) -> dt.timedelta:
    """By the clocks: a day that is 23 hours long is a day."""
    if (end := event.get("DTEND")) is not None:
        if isinstance(end.dt, dt.datetime) != isinstance(first, dt.datetime):
            raise Broken("DTSTART and DTEND have to be both days or both times")
        days = not isinstance(first, dt.datetime)
        lasts = end.dt - first if days else _at(end.dt, zone) - _at(first, zone)
    elif (duration := event.get("DURATION")) is not None:
        lasts = duration.dt
    else:
        lasts = dt.timedelta(0) if isinstance(first, dt.datetime) else dt.timedelta(days=1)
    if lasts < dt.timedelta(0):
        raise Broken("it ends before it begins")
    return lasts


def _times(
    event: Any, first: Moment, zone: ZoneInfo, begins: dt.datetime, ends: dt.datetime, steps: Steps
) -> list[dt.datetime]:
    """When it begins, each time that may matter."""
    start = _at(first, zone)
    rules, added, without = (several(event, name) for name in ("RRULE", "RDATE", "EXDATE"))
    if not rules and not added:
        return [start]
    for rule in rules:
        _daily_at_most(rule)
    dates, not_on = ([date.dt for some in given for date in some.dts] for given in (added, without))
    steps.take(_DATE * (len(dates) + len(not_on)))
    left_out = {_at(date, zone) for date in not_on}
    written = sorted([start, *(_at(date, zone) for date in dates)])
    times = merge(written, *(followed(_until(rule, zone), start, steps) for rule in rules))
    # Times of one zone are compared by its clocks, which is quick, and not right to the hour: hence the days.
    earliest, latest = (t.astimezone(start.tzinfo) for t in (begins - _DAY, ends + _DAY))
    found = []
    for at, _ in groupby(times):
        if at > latest:
            break
        if at >= earliest and at not in left_out:
            found.append(at)
    return found


def _daily_at_most(rule: Any) -> None:
    """Raises Broken for what repeats within a day."""
    if within := [n for n in _WITHIN_A_DAY if n in rule]:
        raise Broken(f"it repeats within a day ({within[0]}); at most daily can be read")
    frequency = str(rule.get("FREQ", [""])[0]).upper()
    if frequency in _FREQUENT:
        raise Broken(f"it repeats {frequency.lower()}; at most daily can be read")


def _until(rule: Any, zone: ZoneInfo) -> str:
    """The rule as text, with its end as an instant."""
    parts = dict(rule)
    if "UNTIL" in parts:
        last = parts["UNTIL"][0]
        if not isinstance(last, dt.datetime):
            last = dt.datetime.combine(last, dt.time(23, 59, 59))
        at = _at(last, zone).astimezone(dt.UTC)
        del parts["UNTIL"]
        parts = type(rule)(parts)
        return f"{parts.to_ical().decode()};UNTIL={at:%Y%m%dT%H%M%SZ}"
    text: str = rule.to_ical().decode()
    return text


def _at(moment: Any, zone: ZoneInfo) -> dt.datetime:
    if isinstance(moment, tuple):
        raise Broken("times that are periods cannot be read; give it a DTSTART and a DURATION")
    if not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, dt.time(), zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _addresses(event: Any) -> Iterator[str]:
    for attendee in several(event, "ATTENDEE"):
        address = str(attendee)
        yield address[7:] if address.lower().startswith("mailto:") else address
