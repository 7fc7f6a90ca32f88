"""What of the coming weeks is not covered: gaps, and shifts of people who are away; and who is told of it in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from watchkeeper.domains import inbox
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.coverage import gaps
from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.domains.timetables.models import Absence
from watchkeeper.domains.timetables.writing import window
from watchkeeper.kernel.fields import milliseconds

SOON = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Uncovered:
    """From and until (Unix milliseconds) nobody is there: `person`, who is away, or "" where nobody has the turn."""

    begins_ms: int
    ends_ms: int
    person: str = ""
    reason: str = ""


def uncovered(schedule: Schedule, now: dt.datetime, until: dt.datetime) -> list[Uncovered]:
    """What is not covered and not over, in order. `schedule` was read with READ."""
    # From long before, so that a gap which goes on already has its own beginning, whenever somebody looks.
    found = schedule.shifts(milliseconds(window(now)[0]), milliseconds(until))
    at = milliseconds(now)
    out = [
        Uncovered(g.begins_ms, g.ends_ms)
        for g in gaps(found, [layer.rotation for layer in schedule.layers.all()])
        if g.ends_ms > at
    ]
    away = Absence.objects.filter(
        person__username__in={s.person for s in found if s.person}, ends_at__gt=now, begins_at__lt=until
    )
    for absence in away.select_related("person"):
        for shift in found:
            begins = max(shift.begins_ms, milliseconds(absence.begins_at))
            ends = min(shift.ends_ms, milliseconds(absence.ends_at))
            if shift.person == absence.person.username and begins < ends and ends > at:
                out.append(Uncovered(begins, ends, shift.person, absence.reason))
    return sorted(out, key=lambda u: (u.begins_ms, u.person))


def tell(now: dt.datetime) -> int:
    """Tell the members of each schedule's team what of the next seven days is not covered, each gap once. Returns how many
    notes were written."""
    told = 0
    for schedule in _with_teams():
        members = [m for m in schedule.team.members.all() if m.is_active] if schedule.team else []
        if members:
            told += _tell(schedule, members, uncovered(schedule, now, now + SOON))
    return told


def _with_teams() -> QuerySet[Schedule]:
    return (
        Schedule.objects.filter(team__isnull=False)
        .select_related("team")
        .prefetch_related(*READ, "team__members")
    )


def _tell(schedule: Schedule, members: list[User], found: Iterable[Uncovered]) -> int:
    zone, told = ZoneInfo(schedule.zone), 0
    for one in found:
        begins, ends = (dt.datetime.fromtimestamp(ms / 1000, zone) for ms in (one.begins_ms, one.ends_ms))
        when = f"from {begins:%a %d %b %H:%M} to {ends:%a %d %b %H:%M} ({schedule.zone})"
        who = f"{one.person}, who is away, has the turn" if one.person else "nobody is on call"
        event = f"uncovered:{schedule.pk}:{one.person}:{one.begins_ms}"
        told += inbox.note(
            members, event, f"{schedule}: {who} {when}.", f"You are in the team of {schedule}."[:200]
        )
    return told
