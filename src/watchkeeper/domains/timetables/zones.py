"""Time zones that a calendar brings along (VTIMEZONE). Each file has its own, whatever others call theirs, and their rules
are looked through before anybody asks them for a time."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from icalendar import Timezone
from icalendar.timezone import tzp
from icalendar.timezone.zoneinfo import ZONEINFO

from watchkeeper.model.recurrence import Steps, followed

MOST = 2_000  # changes of a zone's clocks, which are gone through whenever one of its times is read
_LAST = dt.datetime(2100, 1, 1)  # a rule of a zone is followed until then
_READING = threading.Lock()  # icalendar knows the zones of one file at a time


@contextmanager
def own_zones(steps: Steps) -> Iterator[None]:
    """Within it, icalendar knows the zones of the world and those of the file that it reads, and no others. Their rules
    take from `steps`; it raises ValueError for a zone that cannot be used."""
    with _READING:
        tzp.use(_Zones(steps))
        try:
            yield
        finally:
            tzp.use_default()


class _Zones(ZONEINFO):
    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def create_timezone(self, tz: Timezone) -> dt.tzinfo:
        """As the base, of a zone that can be asked."""
        if sum(_changes(part, self._steps) for part in tz.subcomponents) > MOST:
            raise ValueError(f"the clocks of the time zone {str(tz['TZID'])[:60]!r} change too often")
        return super().create_timezone(tz)


def _changes(part: Any, steps: Steps) -> int:
    """How many changes of clocks a part of a zone comes to. Its rules end then, if they do not before."""
    if "EXRULE" in part:
        raise ValueError("a time zone with EXRULE cannot be read")
    found = 1 + sum(len(dates.dts) for dates in several(part, "RDATE"))
    for rule in several(part, "RRULE"):
        if "COUNT" not in rule:
            rule["UNTIL"] = [min(_naive(rule["UNTIL"][0]) if "UNTIL" in rule else _LAST, _LAST)]
        for _ in followed(rule.to_ical().decode(), _naive(part["DTSTART"].dt), steps):
            if (found := found + 1) > MOST:
                return found
    return found


def several(component: Any, name: str) -> list[Any]:
    """What a component says under this name, however often."""
    found = component.get(name, [])
    return found if isinstance(found, list) else [found]


def _naive(moment: dt.datetime | dt.date) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment.replace(tzinfo=None)
    return dt.datetime.combine(moment, dt.time())
