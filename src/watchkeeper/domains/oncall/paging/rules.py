"""What follows when: which step comes next, which hours are quiet, what is urgent. Pure; the time is passed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from watchkeeper.model.verdicts import Severity

ALWAYS, WITHIN = "always", "within"


def urgency_of(by: str, severity: Severity) -> str:
    """ "high" or "low", as a rule says.

    >>> urgency_of("severity", Severity.ERROR), urgency_of("severity", Severity.WARNING), urgency_of("high", Severity.INFO)
    ('high', 'low', 'high')
    """
    if by != "severity":
        return by
    return "high" if severity.rank >= Severity.ERROR.rank else "low"


def in_hours(hours: str, open_at: Callable[[int], bool] | None, at_ms: int) -> bool:
    """Whether this instant is within the hours that are meant; without a calendar every one is.

    >>> in_hours("outside", lambda _: True, 0), in_hours("within", None, 0)
    (False, True)
    """
    if hours == ALWAYS or open_at is None:
        return True
    return open_at(at_ms) == (hours == WITHIN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an escalation is: how often its steps were gone through, and the index of the last one; -1 before the first."""

    round: int = 0
    index: int = -1


def after(place: Place, steps: Sequence[bool], repeat: int) -> Place | None:
    """The place of the next step that is meant (True) for this escalation now; None at the end of the last round.

    >>> after(Place(), [False, True], 1), after(Place(0, 1), [False, True], 1), after(Place(1, 1), [False, True], 1)
    (Place(round=0, index=1), Place(round=1, index=1), None)
    """
    if not any(steps):
        return None
    for index in range(place.index + 1, len(steps)):
        if steps[index]:
            return Place(place.round, index)
    return after(Place(place.round + 1), steps, repeat) if place.round < repeat else None


def quiet_until(begins: dt.time, ends: dt.time, zone: str, at: dt.datetime) -> dt.datetime | None:
    """When the quiet hours end in which this instant is, by the clocks of the zone; None when it is in none. Hours that end
    before they begin go over midnight; of two equal times none are quiet.

    >>> at = dt.datetime(2026, 1, 5, 23, tzinfo=dt.UTC)
    >>> str(quiet_until(dt.time(22), dt.time(7), "Europe/Berlin", at))
    '2026-01-06 06:00:00+00:00'
    """
    here = at.astimezone(ZoneInfo(zone))
    now = here.time().replace(tzinfo=None)
    over_midnight = ends < begins
    quiet = (now >= begins or now < ends) if over_midnight else begins <= now < ends
    if not quiet:
        return None
    day = here.date() + dt.timedelta(days=1 if over_midnight and now >= begins else 0)
    end = dt.datetime.combine(day, ends, here.tzinfo).astimezone(dt.UTC)
    return max(end, at)  # the clocks may skip that time
