"""Rules of RFC 5545, followed so far and no further. Pure.

dateutil looks for the next time of a rule until the year 9999, also where there is none (every seventh day from a Tuesday
on, if it is a Monday), and for ever where its INTERVAL is 0. What people write is followed in steps that are counted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from dateutil.rrule import rrule, rruleset, rrulestr

_BARREN = 20_000  # steps in which a rule finds no time: 54 years of days, more than 29 February takes to be a Monday
#: what looking at one day, week, month or year takes, by the time that it takes; and how many days that are
_COST = {"WEEKLY": 2, "MONTHLY": 3, "YEARLY": 12}
_DAYS = {"DAILY": 1, "WEEKLY": 7}
_SKIPPED = 100  # days that are passed over in the time of one step
_BEGUN = 50  # steps that a rule takes before its first time


class TooFar(ValueError):
    """Finding the next time takes longer than may be."""


class Steps:
    """How much may be looked at, by all together that take from it: so many times, or days that may be one."""

    def __init__(self, left: int = 500_000) -> None:
        self._left = left

    def take(self, count: int = 1) -> None:
        """Raises TooFar when they are used up."""
        self._left -= count
        if self._left < 0:
            raise TooFar("what repeats is too much to look through; let it begin later")


class _Every(int):
    """An INTERVAL that notices whenever a rule goes on by it, also where no time is found."""

    cost: int
    steps: Steps
    barren: int  # steps since the last time that was found

    def __new__(cls, interval: int, cost: int, steps: Steps) -> _Every:
        made = super().__new__(cls, interval)
        made.cost, made.steps, made.barren = cost, steps, 0
        return made

    def __radd__(self, other: int) -> int:
        self._take()
        return other + int(self)

    def __mul__(self, other: int) -> int:  # of weeks
        self._take()
        return int(self) * other

    def _take(self) -> None:
        self.steps.take(self.cost)
        self.barren += self.cost
        if self.barren > _BARREN:
            raise TooFar("it has no times")


def parse(text: str, first: dt.datetime) -> rrule:
    """The rule, whose first time is not before `first`. Raises ValueError."""
    try:
        found = rrulestr(text, dtstart=first)
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is no rule of RFC 5545: {error}") from error
    if isinstance(found, rruleset):
        raise ValueError("it is more than one rule")
    parts = _parts(text)
    if int(parts.get("INTERVAL", 1)) < 1:
        raise ValueError("INTERVAL is at least 1")
    most = (
        53 if parts.get("FREQ") == "YEARLY" and "BYMONTH" not in parts else 5
    )  # of which dateutil knows where to look
    days = parts.get("BYDAY", parts.get("BYWEEKDAY", ""))
    if any(int(n) > most for n in re.findall(r"\d+", days)):
        raise ValueError(f"BYDAY: there are at most {most} of a weekday")
    return found


def followed(text: str, first: dt.datetime, steps: Steps) -> Iterator[dt.datetime]:
    """Its times in order. They take steps, as do the days that are looked at. Raises ValueError, and TooFar, which
    is one.

    >>> day = dt.datetime(2026, 3, 3)
    >>> [f"{at:%d}" for at in followed("FREQ=WEEKLY;COUNT=3", day, Steps())]
    ['03', '10', '17']
    >>> next(followed("FREQ=DAILY;INTERVAL=7;BYDAY=MO", day, Steps()))
    Traceback (most recent call last):
    watchkeeper.model.recurrence.TooFar: it has no times
    """
    steps.take(_BEGUN)
    rule, parts = parse(text, first), _parts(text)
    frequency, interval = parts.get("FREQ", ""), int(parts.get("INTERVAL", 1))
    cost = _COST.get(frequency, 1) + interval * _DAYS.get(frequency, 0) // _SKIPPED
    every = _Every(interval, cost, steps)
    try:
        for at in rule.replace(interval=every):
            steps.take()
            every.barren = 0
            yield at
    except (IndexError, TypeError) as error:  # as of the hour 24
        raise ValueError("it is no rule of RFC 5545") from error


def _parts(text: str) -> dict[str, str]:
    return dict(p.partition("=")[::2] for p in text.strip().upper().removeprefix("RRULE:").split(";"))
