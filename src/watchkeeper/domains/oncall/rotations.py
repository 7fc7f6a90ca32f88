"""Who is on call when: layers that rotate, hours that restrict them, overrides above all. Pure; times are passed in.

A layer hands over at a time of day of its zone's clocks, every so many days: at a day that the clocks skip or show twice,
when they first reach it. A layer is seen where those above it have nobody; an override comes before all layers.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from watchkeeper.domains.agreements.working import WorkingTime

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Layer:
    """People in turn, each for `days`, from the handover on the date `first` on. `hours` restricts it, None: always."""

    people: tuple[str, ...]
    first: dt.date
    handover: dt.time = dt.time(9)
    days: int = 7
    zone: str = "UTC"
    hours: WorkingTime | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """One person instead of whoever's turn it is, from and until (Unix milliseconds, the end excluded)."""

    person: str
    begins_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of time with one person; "" is a gap: nobody is on call. `layer` is its number from below, -1 of an override
    and of a gap."""

    begins_ms: int
    ends_ms: int
    person: str
    layer: int = -1


def shifts(
    layers: Sequence[Layer], overrides: Sequence[Override], from_ms: int, until_ms: int
) -> list[Shift]:
    """Everything between two instants, in order, without holes; `layers` from the lowest up, later overrides first.

    >>> week = Layer(("ann", "bob"), dt.date(1970, 1, 1), dt.time(0), days=1)
    >>> [(s.person, (s.ends_ms - s.begins_ms) // 3_600_000) for s in shifts([week], (), 43_200_000, 172_800_000)]
    [('ann', 12), ('bob', 24)]
    """
    if until_ms <= from_ms:
        return []
    stretches = [list(_stretches(layer, from_ms, until_ms)) for layer in layers]
    given = [
        (o.begins_ms, o.ends_ms, o.person)
        for o in overrides
        if o.ends_ms > from_ms and o.begins_ms < until_ms
    ]
    edges = {from_ms, until_ms}
    for begins, ends, _ in (s for several in (*stretches, given) for s in several):
        edges.update(at for at in (begins, ends) if from_ms < at < until_ms)
    out: list[Shift] = []
    starts = [[s[0] for s in several] for several in stretches]
    ordered = sorted(edges)
    for begins, ends in pairwise(ordered):
        person, layer = _at(begins, stretches, starts, given)
        if out and (out[-1].person, out[-1].layer) == (person, layer):
            out[-1] = Shift(out[-1].begins_ms, ends, person, layer)
        else:
            out.append(Shift(begins, ends, person, layer))
    return out


def _at(
    at: int,
    stretches: Sequence[Sequence[tuple[int, int, str]]],
    starts: Sequence[Sequence[int]],
    overrides: Sequence[tuple[int, int, str]],
) -> tuple[str, int]:
    for begins, ends, person in reversed(overrides):
        if begins <= at < ends:
            return person, -1
    for layer in range(len(stretches) - 1, -1, -1):
        found = bisect_right(starts[layer], at) - 1
        if found >= 0 and at < stretches[layer][found][1] and stretches[layer][found][2]:
            return stretches[layer][found][2], layer
    return "", -1


def _stretches(layer: Layer, from_ms: int, until_ms: int) -> Iterator[tuple[int, int, str]]:
    """From, until and person of a layer by itself, in order."""
    if layer.until_ms is not None:
        until_ms = min(until_ms, layer.until_ms)
    for begins, ends, person in _turns(layer, from_ms, until_ms):
        begins, ends = max(begins, from_ms), min(ends, until_ms)
        at = begins
        while at < ends:
            change = layer.hours.next_change(at) if layer.hours else None
            then = ends if change is None else min(change, ends)
            if layer.hours is None or layer.hours.open_at(at):
                yield at, then, person
            at = then


def _turns(layer: Layer, from_ms: int, until_ms: int) -> Iterator[tuple[int, int, str]]:
    if not layer.people:
        return
    zone = ZoneInfo(layer.zone)
    day = dt.datetime.fromtimestamp(from_ms / 1000, zone).date() - DAY
    turn = max(0, (day - layer.first).days // layer.days)
    while True:
        begins = _handover(layer, turn, zone)
        if begins >= until_ms:
            return
        ends = _handover(layer, turn + 1, zone)
        if ends > from_ms:
            yield begins, ends, layer.people[turn % len(layer.people)]
        turn += 1


def _handover(layer: Layer, turn: int, zone: ZoneInfo) -> int:
    day = layer.first + turn * layer.days * DAY
    return round(dt.datetime.combine(day, layer.handover, zone).timestamp() * 1000)
