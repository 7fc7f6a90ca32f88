"""Hours as people declare them, as working time; a table is kept until its calendar is another."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from watchkeeper.domains.agreements import public_holidays
from watchkeeper.domains.agreements.hours import exceptions, spans
from watchkeeper.domains.agreements.working import Calendar, WorkingTime

_KEPT = 64  # tables; one of ten years takes about 300 KB


@lru_cache(maxsize=_KEPT)
def working_time(zone: str, week: tuple[str, ...], holidays: str, differing: str) -> WorkingTime:
    """The working time of a calendar: texts of hours.py for Monday to Sunday, a code of public_holidays.py, and
    exceptions. Raises ValueError for what cannot be read."""
    days = list(exceptions(differing))
    return WorkingTime(
        Calendar(
            zone,
            tuple(map(spans, week)),
            {dt.date(d.year, d.month, d.day): d.spans for d in days if d.year},
            {(d.month, d.day): d.spans for d in days if not d.year},
            public_holidays.of(holidays) if holidays else (),
        )
    )
