"""Groups of alerts and the indexes by which those near an arrival are found. What is kept here can be made
again from the members alone; every change can be taken back, which is what the settling delay rests on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeVar

from watchkeeper.analysis.correlators.arrival import Arrival, Member
from watchkeeper.analysis.correlators.places import Places

INSTANTS = 32  # the last instants at which a batch arrived
K = TypeVar("K", str, int)
Index = dict[str, int | list[int]]  # group numbers; most keys have one
_NONE: frozenset[str] = frozenset()
_EMPTY: list[Any] = []  # shared by all groups, so never written to
CROWDED = 64  # a label carried in more groups than this says nothing


class Group:
    """One group. `apart`: it stands for itself and draws nothing in; `kept`: a person made it."""

    __slots__ = (
        "_whats",
        "anchors",
        "apart",
        "closed",
        "follows",
        "id",
        "instants",
        "items",
        "kept",
        "last_ms",
        "members",
        "repeats",
        "start_ms",
        "taught",
    )  # fmt: skip

    def __init__(self, number: int, start_ms: int) -> None:
        self.id = number
        self.start_ms = self.last_ms = start_ms
        self.members: dict[str, Member] = {}
        self.items: dict[str, int] = {}  # item → its alerts here
        self.anchors: list[str] = _EMPTY  # its first items, once they stand for good
        self.taught: set[str] | frozenset[str] = _NONE  # its other items that history has counted
        self.instants: list[int] = _EMPTY
        self.repeats: list[tuple[int, int, str]] = _EMPTY  # time, what, alert: told here before, and now anew
        self._whats: dict[int, int] | None = None  # kept from the second alert on
        self.closed = self.apart = self.kept = False
        self.follows = 0

    def knows(self, what: int) -> bool:
        """Whether this has been told here."""
        if self._whats is None:
            return any(m.arrival.what == what for m in self.members.values())
        return what in self._whats

    def count(self, arrival: Arrival, by: int) -> None:
        """Note that an alert came (1) or went (-1); `members` has changed already."""
        if self._whats is None and len(self.members) > 1:
            self._whats = {}
            for m in self.members.values():
                self._whats[m.arrival.what] = self._whats.get(m.arrival.what, 0) + 1
        elif self._whats is not None:
            _add(self._whats, arrival.what, by)
        if arrival.item:
            _add(self.items, arrival.item, by)

    def repeat(self, arrival: Arrival) -> None:
        """Note that what was told here before is told anew."""
        self.repeats = self.repeats or []
        self.repeats.append((arrival.time_ms, arrival.what, arrival.id))

    def batch(self, time_ms: int) -> None:
        """Note an instant at which a batch came."""
        self.instants = self.instants or []
        self.instants.append(time_ms)

    def anchor(self, item: str, most: int) -> None:
        """Keep one of the first items as an anchor, and of any other that it has been counted."""
        if len(self.anchors) < most:
            self.anchors = self.anchors or []
            self.anchors.append(item)
        elif isinstance(self.taught, set):
            self.taught.add(item)
        else:
            self.taught = {item}


class Groups:
    """All groups, which alert is in which, and which groups are about an item or a label."""

    def __init__(self, places: Places) -> None:
        self.all: dict[int, Group] = {}
        self.of: dict[str, int] = {}
        self.by_item: Index = {}
        self.by_label: Index = {}
        self.places = places
        self._numbers = itertools.count(1)
        self.warm: dict[int, Group] = {}  # in the indexes: recent enough to draw something in
        self.batched: dict[int, Group] = {}  # those of them in which batches arrived

    def open(self, start_ms: int) -> Group:
        """A new empty group."""
        group = Group(next(self._numbers), start_ms)
        self.all[group.id] = group
        return group

    def put(self, group: Group, member: Member) -> None:
        """Put an alert into a group; it must not be in one."""
        a = member.arrival
        group.members[a.id] = member
        self.of[a.id] = group.id
        group.last_ms = max(group.last_ms, a.time_ms)
        group.count(a, 1)
        if not group.apart:
            self._enter(group, a)

    def take(self, alert: str) -> tuple[Group, Member]:
        """Take an alert out of its group; the group stays, also when it is empty now."""
        group = self.all[self.of.pop(alert)]
        member = group.members.pop(alert)
        a = member.arrival
        group.count(a, -1)
        if a.item and a.item not in group.items:
            self._forget_item(a.item, group.id)
        for label in a.labels:
            if not any(label in m.arrival.labels for m in group.members.values()):
                _without(self.by_label, label, group.id)
        return group, member

    def drop(self, group: Group) -> None:
        """Remove a group and whatever is still in it."""
        for alert in list(group.members):
            self.take(alert)
        self.all.pop(group.id, None)
        self.warm.pop(group.id, None)
        self.batched.pop(group.id, None)

    def cool(self, before_ms: int) -> None:
        """Take groups whose last alert began before this time out of the indexes: they draw nothing in."""
        for group in [g for g in self.warm.values() if g.last_ms < before_ms]:
            del self.warm[group.id]
            self.batched.pop(group.id, None)
            for item in group.items:
                self._forget_item(item, group.id)
            for label in {label for m in group.members.values() for label in m.arrival.labels}:
                _without(self.by_label, label, group.id)

    def warm_up(self, group: Group, time_ms: int) -> None:
        """Something went on in a group at this time."""
        group.last_ms = max(group.last_ms, time_ms)
        if group.id not in self.warm and not group.apart:
            self.warm[group.id] = group
            for member in group.members.values():
                self._enter(group, member.arrival)

    def _forget_item(self, item: str, number: int) -> None:
        _without(self.by_item, item, number)
        self.places.take(item, number)

    def _enter(self, group: Group, a: Arrival) -> None:
        self.warm_up(group, a.time_ms)
        if a.item:
            _with(self.by_item, a.item, group.id)
            self.places.put(a.item, group.id)
        for label in a.labels:
            _with(self.by_label, label, group.id, CROWDED + 1)


def numbers(found: int | list[int]) -> Sequence[int]:
    """Group numbers of an index entry, the last to come at the end."""
    return (found,) if isinstance(found, int) else found


def _with(index: Index, key: str, number: int, most: int = 2**31) -> None:
    found = index.get(key)
    if found is None:
        index[key] = number
    elif isinstance(found, int):
        if found != number:
            index[key] = [found, number]
    elif len(found) < most and number not in found:
        found.append(number)


def _without(index: Index, key: str, number: int) -> None:
    found = index.get(key)
    if found == number:
        del index[key]
    elif isinstance(found, list) and number in found:
        found.remove(number)
        if len(found) == 1:
            index[key] = found[0]


def _add(counts: dict[K, int], key: K, by: int) -> None:
    left = counts.get(key, 0) + by
    if left > 0:
        counts[key] = left
    else:
        counts.pop(key, None)
