"""When somebody is on call, over all schedules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.kernel.fields import milliseconds, moment


@dataclass(frozen=True, slots=True)
class Mine:
    """One shift."""

    schedule: Schedule
    begins: dt.datetime
    ends: dt.datetime


def of(username: str, begins: dt.datetime, ends: dt.datetime) -> list[Mine]:
    """Their shifts between two times, in order."""
    out = []
    for schedule in Schedule.objects.prefetch_related(*READ):
        for shift in schedule.shifts(milliseconds(begins), milliseconds(ends)):
            since, until = moment(shift.begins_ms), moment(shift.ends_ms)
            if shift.person == username and since and until:
                out.append(Mine(schedule, since, until))
    return sorted(out, key=lambda m: (m.begins, m.schedule.name))
