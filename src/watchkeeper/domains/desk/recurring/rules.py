"""When a recurring ticket comes next: RFC 5545's rules by the clocks of a time zone. Pure; the time is passed in."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from dateutil import tz

from watchkeeper.model.recurrence import Steps, followed

_OFTENEST = {"SECONDLY", "MINUTELY"}
_STEPS = 1_000_000  # for all times since it began: half a century of hours


class NoRule(ValueError):
    """A text that is no rule; says why."""


def next_after(rule: str, starts: dt.datetime, zone: str, after: dt.datetime) -> dt.datetime | None:
    """The first occurrence later than `after`, in UTC; None when there is none any more. `starts` is a local time without
    a zone. A time that the clocks skip is when they would have shown it; one that they show twice is the first.
    Raises NoRule.

    >>> spring = dt.datetime(2026, 3, 27, 2, 30)
    >>> at = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
    >>> next_after("FREQ=DAILY", spring, "Europe/Berlin", at).isoformat()  # 02:30 is skipped on the 29th: 03:30 there
    '2026-03-29T01:30:00+00:00'
    """
    local = ZoneInfo(zone)
    # Clocks differ from UTC by less than a day, so a day before is early enough to begin looking.
    begin = after.astimezone(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=1, hours=3)
    times = followed(_text(rule), starts, Steps(_STEPS))
    try:
        for naive in (n for n in times if n >= begin):
            at = tz.resolve_imaginary(naive.replace(tzinfo=local)).astimezone(dt.UTC)
            if at > after:
                return at
    except ValueError:  # it never comes, or began too long ago to be followed
        return None
    return None


_EVERY = {"HOURLY": "hour", "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
         "SU": "Sunday"}  # fmt: skip
_NTH = {
    "": "",
    "1": "the first ",
    "2": "the second ",
    "3": "the third ",
    "4": "the fourth ",
    "-1": "the last ",
}
_SAID = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "WKST"}


def in_words(rule: str) -> str:
    """The rule as people say it; as it is written where it says more than that.

    >>> in_words("FREQ=WEEKLY;BYDAY=MO,TH"), in_words("FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU")
    ('every week on Monday, Thursday', 'every 3 months on the second Tuesday')
    >>> in_words("FREQ=MONTHLY;BYMONTHDAY=1,-1"), in_words("FREQ=YEARLY;BYEASTER=0")
    ('every month on day 1, the last day', 'FREQ=YEARLY;BYEASTER=0')
    """
    parts = dict(p.partition("=")[::2] for p in rule.strip().removeprefix("RRULE:").upper().split(";"))
    days = [(_NTH.get(d[:-2]), _DAYS.get(d[-2:])) for d in filter(None, parts.get("BYDAY", "").split(","))]
    unit = _EVERY.get(parts.get("FREQ", ""), "")
    if not unit or parts.keys() - _SAID or any(None in day for day in days):
        return rule
    dates = [
        "the last day" if d == "-1" else f"day {d}"
        for d in filter(None, parts.get("BYMONTHDAY", "").split(","))
    ]
    every = parts.get("INTERVAL", "1")
    on = ", ".join([*(f"{nth}{day}" for nth, day in days), *dates])
    times = f", {parts['COUNT']} times" if "COUNT" in parts else ""
    return f"every {unit if every == '1' else f'{every} {unit}s'}{f' on {on}' if on else ''}{times}"


def check(rule: str, starts: dt.datetime) -> None:
    """Raises NoRule for what is no rule, and for one that never comes when it begins at this local time."""
    text = _text(rule)
    try:
        found = next(followed(text, starts, Steps()), None)
    except ValueError as error:
        raise NoRule(f"this rule cannot be followed: {error}") from error
    if found is None:
        raise NoRule("it never comes")


def _text(rule: str) -> str:
    """The rule alone. Raises NoRule for one that says what has a field of its own."""
    text = rule.strip().removeprefix("RRULE:")
    parts = dict(p.partition("=")[::2] for p in text.upper().split(";"))
    if "FREQ" not in parts:
        raise NoRule("say how often, as in FREQ=WEEKLY;BYDAY=MO")
    if parts["FREQ"] in _OFTENEST:
        raise NoRule("once an hour is the most: FREQ=HOURLY")
    if {"BYSECOND", "BYMINUTE"} & parts.keys() or (parts["FREQ"] != "HOURLY" and "BYHOUR" in parts):
        raise NoRule("the time of day is a field of its own")
    if "\n" in text or "DTSTART" in parts:
        raise NoRule("the first day is a field of its own")
    if "UNTIL" in parts:  # which is in UTC, while the rule is by the clocks of a place
        text = ";".join(p.rstrip("Zz") if p.upper().startswith("UNTIL") else p for p in text.split(";"))
    return text
