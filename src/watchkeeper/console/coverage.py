"""A schedule's page: what of the next weeks is not covered, and the calendars that it goes out to and comes from."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.domains.timetables.covering import Uncovered, uncovered
from watchkeeper.domains.timetables.models import Import
from watchkeeper.domains.timetables.reading import SIZE
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

WEEKS = 8
_TOLD = 20


def ahead(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a schedule: its gaps, and shifts of people who are away, week by week."""
    if not isinstance(record, Schedule):
        return None
    schedule = Schedule.objects.prefetch_related(*READ).get(pk=record.pk)
    now, zone = timezone.now(), ZoneInfo(schedule.zone)
    monday = dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone)
    monday -= dt.timedelta(days=monday.weekday())
    weeks = [monday + dt.timedelta(weeks=n) for n in range(WEEKS + 1)]
    found = uncovered(schedule, now, weeks[-1])
    return {
        "zone": schedule.zone,
        "weeks": [_week(a, b, found) for a, b in pairwise(weeks)],
        "lines": [_line(one, zone, now) for one in found[:_TOLD]],
        "more": max(0, len(found) - _TOLD),
        "team": schedule.team,
        "feeds": visible(actor, "calendar-feeds").filter(schedule=schedule, revoked_at=None).count(),
        "may_feed": may(actor, "create", registry["calendar-feeds"]),
        "may_import": may(actor, "create", registry["calendar-imports"]),
        "schedule": schedule,
    }


def sent_to(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a calendar import: where a file is sent to it."""
    if not isinstance(record, Import) or not may(actor, "read-text", resource, record):
        return None
    return {"key": record.pk, "most": SIZE}


def _week(begins: dt.datetime, ends: dt.datetime, found: list[Uncovered]) -> dict[str, Any]:
    """A week, and whether something of it is not covered."""
    first, last = begins.timestamp() * 1000, ends.timestamp() * 1000
    here = [one for one in found if one.ends_ms > first and one.begins_ms < last]
    return {
        "begins": begins.date(),
        "gap": any(not o.person for o in here),
        "away": any(o.person for o in here),
    }


def _line(one: Uncovered, zone: ZoneInfo, now: dt.datetime) -> dict[str, Any]:
    begins, ends = (
        dt.datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None) for ms in (one.begins_ms, one.ends_ms)
    )
    begun = one.begins_ms <= now.timestamp() * 1000
    return {"person": one.person, "reason": one.reason, "begins": None if begun else begins, "ends": ends}
