"""The windows of objectives: the last so many days, or a calendar's week, month, quarter or year. Pure; the time is
passed in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

#: unit → its letter in OpenSLO, and what one is
UNITS = {
    "hour": ("h", relativedelta(hours=1)),
    "day": ("d", relativedelta(days=1)),
    "week": ("w", relativedelta(weeks=1)),
    "month": ("M", relativedelta(months=1)),
    "quarter": ("Q", relativedelta(months=3)),
    "year": ("Y", relativedelta(years=1)),
}
LETTERS = {letter: unit for unit, (letter, _) in UNITS.items()}
_FIRST = dt.datetime(1969, 12, 29)  # a Monday; months, quarters and years begin with 1970


@dataclass(frozen=True, slots=True)
class Window:
    """`count` units; aligned: from one wall time of `zone` to the next, else it ends now. `anchor` is when one of the
    aligned ones begins; without it they begin as the calendar does."""

    count: int
    unit: str
    aligned: bool = False
    zone: str = "UTC"
    anchor: dt.datetime | None = None

    def period(self, now_ms: int) -> tuple[int, int]:
        """Its beginning and end, Unix milliseconds, at this time.

        >>> march = Window(1, "month", True).period(1_772_600_000_000)  # 2026-03-04
        >>> [dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat() for ms in march]
        ['2026-03-01T00:00:00+00:00', '2026-04-01T00:00:00+00:00']
        """
        length = UNITS[self.unit][1] * self.count
        now = dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(self.zone))
        if not self.aligned:
            return _ms(now.astimezone(dt.UTC) - length), now_ms
        wall = now.replace(tzinfo=None)
        first = self.anchor or (_FIRST if self.unit == "week" else dt.datetime(1970, 1, 1))
        n = _estimate(first, wall, length)
        while first + length * n > wall:
            n -= 1
        while first + length * (n + 1) <= wall:
            n += 1
        zone = ZoneInfo(self.zone)
        begins, ends = ((first + length * k).replace(tzinfo=zone) for k in (n, n + 1))
        return _ms(begins), _ms(ends)


def _estimate(first: dt.datetime, wall: dt.datetime, length: relativedelta) -> int:
    typical = (first + length) - first
    return int((wall - first) / typical)


def _ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)
