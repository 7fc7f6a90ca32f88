"""A schedule's page: who is on call now and next, and where nobody is, as a picture of two weeks and in words."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.domains.oncall.rotations import Shift
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import Resource, registry

_DAYS, _TOLD = 14, 20
_ADDED = (("schedule-layers", "Add a layer…"), ("schedule-overrides", "Somebody else takes over…"))
_HUES = 6  # of people, as console.css has them; the seventh has the first one's


def rota(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a schedule: its days as rows of shifts, and what comes next."""
    if not isinstance(record, Schedule):
        return None
    schedule = Schedule.objects.prefetch_related(*READ).get(pk=record.pk)
    zone, now = ZoneInfo(schedule.zone), timezone.now()
    midnight = dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone)
    days = [midnight + dt.timedelta(days=n) for n in range(_DAYS + 1)]  # by the zone's clocks
    found = schedule.shifts(milliseconds(midnight), milliseconds(days[-1]))
    people = list(dict.fromkeys(s.person for s in found if s.person))
    hue = {person: n % _HUES for n, person in enumerate(people)}
    return {
        "zone": schedule.zone,
        "days": [_row(found, a, b, hue) for a, b in pairwise(days)],
        "next": [_line(s, zone) for s in found if s.ends_ms > milliseconds(now)][:_TOLD],
        "gaps": any(not s.person for s in found),
        "gone": schedule.gone,
        "layers": schedule.layers.all(),
        "adds": [
            _add(path, words, schedule) for path, words in _ADDED if may(actor, "create", registry[path])
        ],
    }


def _add(path: str, words: str, schedule: Schedule) -> dict[str, str]:
    given = {"schedule": schedule.pk, "back": f"/schedules/{schedule.pk}/"}
    return {"words": words, "url": f"/{path}/new/?{urlencode(given)}"}


def _row(found: list[Shift], begins: dt.datetime, ends: dt.datetime, hue: dict[str, int]) -> dict[str, Any]:
    first, last = milliseconds(begins), milliseconds(ends)
    mine = (s for s in found if s.ends_ms > first and s.begins_ms < last)
    parts = [(s, max(s.begins_ms, first), min(s.ends_ms, last)) for s in mine]
    return {
        "day": begins.date(),
        "parts": [
            {"person": s.person, "hue": hue.get(s.person), "width": round(100 * (b - a) / (last - first), 2)}
            for s, a, b in parts
        ],
    }


def _line(shift: Shift, zone: ZoneInfo) -> dict[str, Any]:
    # as the schedule's clocks show them, whatever the reader's zone
    begins, ends = (
        dt.datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)
        for ms in (shift.begins_ms, shift.ends_ms)
    )
    return {
        "person": shift.person,
        "begins": begins,
        "ends": ends,
        "override": shift.person and shift.layer < 0,
    }
