"""What a status page shows: how its components are and were, what is going on, what is planned. Names of items, alerts and
people stay inside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Prefetch

from watchkeeper.domains.maintenance.planned import Planned, Span
from watchkeeper.domains.majors import rules
from watchkeeper.domains.majors.models import MajorIncident, StatusComponent, StatusPage, StatusUpdate
from watchkeeper.kernel.fields import milliseconds, moment

DAY_MS = 86_400_000
AHEAD_MS = 14 * DAY_MS
PAST = 20  # major incidents that are over


@dataclass(frozen=True)
class Day:
    """A day (UTC) of a component: its uptime, in words, and the worst state that it was in."""

    date: dt.date
    uptime: str
    worst: str


@dataclass(frozen=True)
class Line:
    """A component."""

    component: StatusComponent
    uptime: str
    days: tuple[Day, ...]
    maintained_until: dt.datetime | None


@dataclass(frozen=True)
class Section:
    """Components under a heading; "" for none."""

    heading: str
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Work:
    """Planned maintenance of a component."""

    component: str
    begins: dt.datetime
    ends: dt.datetime


@dataclass(frozen=True)
class Shown:
    """A whole page."""

    page: StatusPage
    state: str
    words: str
    sections: list[Section]
    current: list[MajorIncident]
    past: list[MajorIncident]
    planned: list[Work]


def show(page: StatusPage, now: dt.datetime) -> Shown:
    """The page as it is now."""
    now_ms = milliseconds(now)
    planned = Planned(max(now_ms - page.days * DAY_MS, 0))
    sections: dict[str, Section] = {}
    work: list[Work] = []
    components = list(page.components.prefetch_related("spells"))
    for component in components:
        begin = max(now_ms - page.days * DAY_MS, 0)
        windows = planned.of(str(component.item_id), begin, now_ms + AHEAD_MS) if component.item_id else []
        line = _line(component, windows, page.days, now_ms)
        sections.setdefault(component.section, Section(component.section)).lines.append(line)
        work += [Work(component.name, moment(b), moment(e)) for b, e in windows if e > now_ms]
    majors = list(
        MajorIncident.objects.filter(components__page=page)
        .distinct()
        .prefetch_related(Prefetch("updates", StatusUpdate.objects.filter(public=True)), "components")[:200]
    )
    current = [m for m in majors if m.state != rules.RESOLVED]
    state = rules.worst(c.state for c in components)
    return Shown(
        page, state, _words(state, bool(current)), list(sections.values()), current,
        [m for m in majors if m.state == rules.RESOLVED][:PAST], sorted(work, key=lambda w: w.begins),
    )  # fmt: skip


def _line(component: StatusComponent, windows: Sequence[Span], days: int, now_ms: int) -> Line:
    spells = [s.spell for s in component.spells.all()]
    today = now_ms - now_ms % DAY_MS
    shown = tuple(
        _day(spells, windows, begin, min(begin + DAY_MS, now_ms))
        for begin in range(today - (days - 1) * DAY_MS, today + 1, DAY_MS)
    )
    until = next((e for b, e in windows if b <= now_ms < e), None)
    whole = rules.uptime(spells, windows, today - (days - 1) * DAY_MS, now_ms)
    return Line(component, rules.percent(whole), shown, moment(until) if until else None)


def _day(spells: Iterable[rules.Spell], windows: Sequence[Span], from_ms: int, until_ms: int) -> Day:
    own = [s for s in spells if s.begins_ms < until_ms and (s.ends_ms is None or s.ends_ms > from_ms)]
    share = rules.percent(rules.uptime(own, windows, from_ms, until_ms))
    return Day(moment(from_ms).date(), share, rules.worst(s.state for s in own))


def _words(state: str, going_on: bool) -> str:
    if state == rules.OPERATIONAL:
        return "An incident is going on" if going_on else "All systems operational"
    return {
        rules.DEGRADED: "Some systems are slower than usual",
        rules.PARTIAL: "Some systems are out of order",
        rules.OUTAGE: "A major outage",
    }[state]
