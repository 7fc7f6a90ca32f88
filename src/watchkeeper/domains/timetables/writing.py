"""Shifts as a calendar that programs subscribe to (RFC 5545), in UTC. Pure; times are passed in.

The UID of an event follows from whose shift begins when, so that a program that reads the calendar again finds the same
event changed, and not another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar, Event


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody is on call from and until (Unix milliseconds). `name` is what people call them."""

    schedule: str
    key: str  # of the schedule
    person: str
    name: str
    begins_ms: int
    ends_ms: int


def window(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """What a calendar shows: from the first of the month before to that in half a year (UTC). It moves once a month, so
    that a shift which reaches beyond it stays the same event until then.

    >>> [t.date().isoformat() for t in window(dt.datetime(2026, 1, 15, tzinfo=dt.UTC))]
    ['2025-12-01', '2026-07-01']
    """
    month = now.astimezone(dt.UTC).year * 12 + now.astimezone(dt.UTC).month - 1
    first, last = (dt.datetime(m // 12, m % 12 + 1, 1, tzinfo=dt.UTC) for m in (month - 1, month + 6))
    return first, last


def calendar(name: str, duties: Iterable[Duty], now: dt.datetime, host: str, *, own: bool = False) -> bytes:
    """The text of the calendar. `host` makes its UIDs the installation's own; `own`: its reader is who is on call."""
    out = Calendar()
    out.add("prodid", "-//Watchkeeper//On call//EN")
    out.add("version", "2.0")
    out.add("method", "PUBLISH")
    out.add("x-wr-calname", name)
    out.add("refresh-interval", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    out.add("x-published-ttl", "PT1H")
    for duty in duties:
        begins, ends = duty.begins_ms // 1000, duty.ends_ms // 1000
        if ends > begins:
            out.add_component(_event(duty, begins, ends, now, host, own))
    text: bytes = out.to_ical()
    return text


def _event(duty: Duty, begins: int, ends: int, now: dt.datetime, host: str, own: bool) -> Event:
    event = Event()
    event.add("uid", f"{duty.key}-{begins}-{duty.person}@{host}")
    event.add("dtstamp", now.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", dt.datetime.fromtimestamp(begins, dt.UTC))
    event.add("dtend", dt.datetime.fromtimestamp(ends, dt.UTC))
    event.add("summary", f"On call: {duty.schedule}" if own else f"{duty.name} on call: {duty.schedule}")
    event.add("transp", "TRANSPARENT")
    return event
