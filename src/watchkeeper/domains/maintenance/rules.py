"""What people choose about repetition as an RFC 5545 rule, and a schedule in words. Pure; the time is passed in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from watchkeeper.model.schedule import Schedule

WEEKDAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
            "SU": "Sunday"}  # fmt: skip
STATES = ("upcoming", "running", "past")
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_FREQUENCY = {
    "day": "DAILY",
    "week": "WEEKLY",
    "month_weekday": "MONTHLY",
    "month_day": "MONTHLY",
    "year": "YEARLY",
}
_UNIT = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}


@dataclass(frozen=True, slots=True)
class Repetition:
    """What people choose: `repeats` of models.MaintenanceWindow.Repeats, every so many of them, on which weekdays (for
    weeks), a rule of their own, and the last day on which it may begin."""

    repeats: str
    every: int = 1
    weekdays: tuple[str, ...] = ()
    rule: str = ""
    until: dt.date | None = None


def wall(at: dt.datetime, zone: str) -> dt.datetime:
    """A time as the clocks of a zone show it."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def rrule_of(given: Repetition, first: dt.datetime) -> str:
    """The rule that repeats what first begins at this wall time; "" for once.

    >>> rrule_of(Repetition("month_weekday"), dt.datetime(2026, 3, 8, 2))
    'FREQ=MONTHLY;BYDAY=2SU'
    """
    if given.repeats == "once":
        return ""
    if given.repeats == "rule":
        return given.rule
    parts = [f"FREQ={_FREQUENCY[given.repeats]}"]
    if given.every > 1:
        parts.append(f"INTERVAL={given.every}")
    if given.repeats == "week" and given.weekdays:
        parts.append(f"BYDAY={','.join(w for w in WEEKDAYS if w in given.weekdays)}")
    if given.repeats == "month_weekday":
        nth = (first.day - 1) // 7 + 1
        parts.append(f"BYDAY={nth if nth < 5 else -1}{list(WEEKDAYS)[first.weekday()]}")
    if given.until:
        parts.append(f"UNTIL={given.until:%Y%m%d}T235959")
    return ";".join(parts)


def words(schedule: Schedule, now_ms: int) -> str:
    """When it holds, and when next.

    >>> words(Schedule(1772935200000, 1772942400000, "FREQ=MONTHLY;BYDAY=2SU"), 1772935300000)
    'every second Sunday of the month 02:00–04:00 UTC, now until 04:00, next: Sun 12 Apr 2026'
    """
    zone = ZoneInfo(schedule.zone)
    starts, ends = _local(schedule.starts_ms, zone), _local(schedule.ends_ms, zone)
    if not schedule.rule:
        ends = _local(next(islice(schedule.occurrences(0), 1), (0, schedule.ends_ms))[1], zone)
        return f"{_day(starts)} {_span(starts, ends)} {schedule.zone}"
    text = f"{_every(schedule.rule, starts)} {_span(starts, ends, dated=False)} {schedule.zone}"
    found = list(islice(schedule.occurrences(now_ms), 2))
    if found and found[0][0] <= now_ms:
        text += f", now until {_local(found.pop(0)[1], zone):%H:%M}"
    return f"{text}, next: {_day(_local(found[0][0], zone))}" if found else f"{text}, not again"


def state(schedule: Schedule, now_ms: int) -> str:
    """upcoming, running or past."""
    found = next(schedule.occurrences(now_ms), None)
    if found is None:
        return "past"
    return "running" if found[0] <= now_ms else "upcoming"


def _every(rule: str, first: dt.datetime) -> str:
    parts = dict(p.split("=", 1) for p in rule.split(";"))
    n, unit = int(parts.get("INTERVAL", "1")), _UNIT[parts["FREQ"]]
    days = parts.get("BYDAY", "").split(",") if parts.get("BYDAY") else []
    if set(parts) - {"FREQ", "INTERVAL", "BYDAY", "UNTIL", "COUNT", "WKST"}:
        return f"by the rule {rule},"
    if unit == "week":
        named = ", ".join(WEEKDAYS[d] for d in days) or list(WEEKDAYS.values())[first.weekday()]
        return f"every {'second ' if n == 2 else ''}{named}" if n < 3 else f"every {n} weeks on {named}"
    often = f"every {unit}" if n == 1 else f"every {n} {unit}s"
    if unit == "month" and len(days) == 1 and days[0][:-2]:
        nth = _ORDINALS.get(int(days[0][:-2]), days[0][:-2])
        weekday = f"{nth} {WEEKDAYS[days[0][-2:]]}"
        return f"every {weekday} of the month" if n == 1 else f"{often} on the {weekday}"
    if days:
        return f"by the rule {rule},"
    dated = {"month": f" on day {first.day}", "year": f" on {first.day} {first:%B}"}
    return often + dated.get(unit, "")


def _local(ms: int, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, zone)


def _day(at: dt.datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y}"


def _span(starts: dt.datetime, ends: dt.datetime, *, dated: bool = True) -> str:
    if ends.date() == starts.date():
        return f"{starts:%H:%M}–{ends:%H:%M}"
    days = (ends.date() - starts.date()).days
    until = _day(ends) if dated else "the next day" if days == 1 else f"{days} days later"
    return f"{starts:%H:%M} until {until} {ends:%H:%M}"
