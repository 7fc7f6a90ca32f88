"""States of changes, and how risky one is: every point with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

DRAFT, ASSESSED, WAITING, APPROVED, SCHEDULED = "draft", "assessed", "waiting", "approved", "scheduled"
STARTED, DONE, FAILED, BACKED_OUT = "in_progress", "done", "failed", "backed_out"
REVIEWED, CLOSED, CANCELLED = "reviewed", "closed", "cancelled"
STATES = {
    DRAFT: "draft",
    ASSESSED: "assessed",
    WAITING: "waiting for approval",
    APPROVED: "approved",
    SCHEDULED: "scheduled",
    STARTED: "in progress",
    DONE: "done",
    FAILED: "failed",
    BACKED_OUT: "backed out",
    REVIEWED: "reviewed",
    CLOSED: "closed",
    CANCELLED: "cancelled",
}
BEFORE = (DRAFT, ASSESSED, WAITING, APPROVED, SCHEDULED)
COMING = (WAITING, APPROVED, SCHEDULED, STARTED)  # what others have to reckon with
OPEN = (*BEFORE, STARTED, DONE, FAILED, BACKED_OUT, REVIEWED)
ENDED = (DONE, FAILED, BACKED_OUT)
WENT_WRONG = (FAILED, BACKED_OUT)


class Risk(StrEnum):
    """How much can go wrong, and how likely that is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Weighed(msgspec.Struct, frozen=True):
    """A reason, and the points that it is worth."""

    points: int
    text: str

    def __str__(self) -> str:
        return f"{self.points:+d}: {self.text}"


@dataclass(frozen=True, slots=True)
class Touched:
    """An item that is changed: what depends on it, the redundancy groups that hold without it (with how many are left), and
    how many others lose their network without it."""

    name: str
    dependents: tuple[str, ...] = ()
    spared: tuple[tuple[str, int], ...] = ()
    cut_off: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a change: its items, how changes like it went, what else happens in its window, its plans."""

    touched: tuple[Touched, ...] = ()
    like_it: int = 0
    went_wrong: int = 0
    busy: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    collisions: tuple[str, ...] = ()
    tested: bool = True
    backed_out: bool = True
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """The points, what they mean, and why."""

    points: int
    because: tuple[Weighed, ...] = field(default=())

    @property
    def risk(self) -> Risk:
        """Low to 2 points, medium to 6, high from 7.

        >>> Assessment(2).risk.value, Assessment(3).risk.value, Assessment(7).risk.value
        ('low', 'medium', 'high')
        """
        return Risk.LOW if self.points <= 2 else Risk.MEDIUM if self.points <= 6 else Risk.HIGH


def assess(facts: Facts) -> Assessment:
    """The reasons with most points first; never fewer than 0 points in all.

    >>> [str(w) for w in assess(Facts((Touched("sw1", tuple("abcdefghijklmn")),), backed_out=False)).because]
    ['+3: 14 depend on sw1', '+2: there is no back-out plan', '+1: nothing like it was done before']
    """
    found = [*_graph(facts.touched), *_history(facts), *_calendar(facts), *_plans(facts)]
    because = tuple(sorted(found, key=lambda w: -abs(w.points)))
    return Assessment(max(0, sum(w.points for w in because)), because)


def _graph(touched: Iterable[Touched]) -> Iterator[Weighed]:
    for item in touched:
        if count := len(item.dependents):
            points = 3 if count >= 10 else 2 if count >= 5 else 1
            named = f": {', '.join(item.dependents)}" if count <= 3 else ""
            yield Weighed(points, f"{count} depend{'s' if count == 1 else ''} on {item.name}{named}")
        if item.cut_off:
            yield Weighed(
                3, f"{item.name} is a single point of failure: {item.cut_off} are cut off without it"
            )
        for group, left in item.spared:
            yield Weighed(-1, f"{group} holds without {item.name}: {left} of its members are left")


def _history(facts: Facts) -> Iterator[Weighed]:
    if not facts.like_it:
        yield Weighed(1, "nothing like it was done before")
        return
    said = f"{facts.went_wrong} of {facts.like_it} changes like it went wrong"
    if facts.went_wrong * 4 >= facts.like_it:
        yield Weighed(3, said)
    elif facts.went_wrong:
        yield Weighed(1, said)
    elif facts.like_it >= 3:
        yield Weighed(-1, f"{facts.like_it} changes like it went well")


def _calendar(facts: Facts) -> Iterator[Weighed]:
    yield from (Weighed(1, f"it is in busy hours: {name}") for name in facts.busy)
    yield from (Weighed(3, f"it is within the freeze {name}") for name in facts.frozen)
    yield from (Weighed(2, said) for said in facts.collisions)


def _plans(facts: Facts) -> Iterator[Weighed]:
    if not facts.backed_out:
        yield Weighed(2, "there is no back-out plan")
    if not facts.tested:
        yield Weighed(1, "there is no test plan")
    if facts.emergency:
        yield Weighed(2, "it is an emergency: less time to prepare")


def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two stretches of time have an instant in common.

    >>> overlap((0, 5), (4, 9)), overlap((0, 5), (5, 9))
    (True, False)
    """
    return a[0] < b[1] and b[0] < a[1]
