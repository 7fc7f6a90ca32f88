"""The change calendar: a month of days with the changes, freezes and maintenance windows that they hold."""

from __future__ import annotations

import calendar as months
import datetime as dt
import re
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import identity
from watchkeeper.domains.changes import rules
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.permissions import may, require, visible
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import registry

_MOST, _OF_A_WINDOW = 500, 62
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Entry:
    """Something that lasts from one time to another."""

    text: str
    url: str
    sort: str  # change, freeze, busy or window
    begins: dt.datetime
    ends: dt.datetime
    note: str = ""


@require_GET
@signed_in()
def calendar(request: HttpRequest) -> HttpResponse:
    """`?month=2026-11`; this month without it."""
    actor = actor_of(request)
    require(actor, "read", registry["changes"])
    zone = ZoneInfo(_zone(request))
    today = timezone.now().astimezone(zone).date()
    first = _first(request.GET.get("month", ""), today)
    days = list(months.Calendar().itermonthdates(first.year, first.month))
    begins = dt.datetime.combine(days[0], dt.time(), zone)
    ends = dt.datetime.combine(days[-1] + dt.timedelta(days=1), dt.time(), zone)
    entries = sorted(
        [*_changes(actor, begins, ends), *_others(actor, begins, ends)], key=lambda e: (e.begins, e.text)
    )
    weeks = [[_day(d, entries, zone, first, today) for d in days[n : n + 7]] for n in range(0, len(days), 7)]
    return page(
        request, "change_calendar.html", title="Change calendar", weeks=weeks, first=first,
        before=(first - dt.timedelta(days=1)).strftime("%Y-%m"), after=_next(first).strftime("%Y-%m"),
        weekdays=months.day_abbr, can_plan=may(actor, "create", registry["changes"]),
    )  # fmt: skip


def _zone(request: HttpRequest) -> str:
    preference = identity.preference_of(request.user)  # type: ignore[arg-type]
    return (preference.zone if preference else "") or "UTC"


def _first(text: str, today: dt.date) -> dt.date:
    if not text:
        return today.replace(day=1)
    found = _MONTH.fullmatch(text)
    if found is None:
        raise BadQuery("month: such as 2026-11", "month")
    return dt.date(int(found[1]), int(found[2]), 1)


def _next(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=31)).replace(day=1)


def _changes(actor: Actor, begins: dt.datetime, ends: dt.datetime) -> list[Entry]:
    found = (
        visible(actor, "changes")
        .filter(starts_at__lt=ends, ends_at__gt=begins)
        .exclude(status=rules.CANCELLED)
    )
    return [
        Entry(f"{c.number} {c.title}", f"/changes/{c.pk}/", "change", c.starts_at, c.ends_at, c.get_status_display())
        for c in found.order_by("starts_at")[:_MOST]
    ]  # fmt: skip


def _others(actor: Actor, begins: dt.datetime, ends: dt.datetime) -> list[Entry]:
    """Freezes, busy times that go round the clock, and windows that no change has made."""
    out = [
        Entry(f.name, f"/freezes/{f.pk}/", "freeze" if f.strict else "busy", f.begins_at, f.ends_at)
        for f in visible(actor, "freezes").filter(begins_at__lt=ends, ends_at__gt=begins, calendar=None)[
            :_MOST
        ]
    ]
    windows = visible(actor, "maintenance-windows").filter(changes=None, starts_at__lt=ends)
    for w in windows.order_by("-starts_at")[:_MOST]:
        for a, b in islice(w.schedule.occurrences(milliseconds(begins)), _OF_A_WINDOW):
            start, end = moment(a), moment(b)
            if start is None or end is None or start >= ends:
                break
            out.append(Entry(w.name, f"/maintenance-windows/{w.pk}/", "window", start, end))
    return out


def _day(
    day: dt.date, entries: list[Entry], zone: dt.tzinfo, first: dt.date, today: dt.date
) -> dict[str, object]:
    begins = dt.datetime.combine(day, dt.time(), zone)
    ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    mine = [e for e in entries if e.begins < ends and e.ends > begins]
    return {"day": day, "entries": [(e, e.begins >= begins) for e in mine], "other": day.month != first.month,
            "today": day == today}  # fmt: skip
