"""Groups of alerts and the indexes by which those near an arrival are found. What is kept here can be made
again from the members alone; every change can be taken back, which is what the settling delay rests on."""

from __future__ import annotations

import itertools
from typing import TypeVar

from watchkeeper.analysis.correlators.arrival import Arrival, Member

INSTANTS = 32  # the last instants at which a batch arrived
K = TypeVar("K", str, int)
CROWDED = 64  # a label carried in more groups than this says nothing


class Group:
    """One group. `apart`: it stands for itself and draws nothing in; `kept`: a person made it."""

    __slots__ = ("anchors", "apart", "closed", "follows", "id", "instants", "items", "kept", "labels", "last_ms",
                 "members", "repeats", "start_ms", "whats")  # fmt: skip

    def __init__(self, number: int, start_ms: int) -> None:
        self.id = number
        self.start_ms = self.last_ms = start_ms
        self.members: dict[str, Member] = {}
        self.items: dict[str, int] = {}  # item → its alerts here
        self.labels: dict[str, int] = {}
        self.anchors: list[str] = []  # its first items, once they stand for good
        self.whats: dict[int, int] = {}
        self.instants: list[int] = []
        self.repeats: list[tuple[int, int, str]] = []  # time, what, alert: told here before, and now anew
        self.closed = self.apart = self.kept = False
        self.follows = 0


class Groups:
    """All groups, which alert is in which, and which groups are about an item or a label."""

    def __init__(self) -> None:
        self.all: dict[int, Group] = {}
        self.of: dict[str, int] = {}
        self.by_item: dict[str, dict[int, Group]] = {}
        self.by_label: dict[str, dict[int, Group]] = {}
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
        group.whats[a.what] = group.whats.get(a.what, 0) + 1
        if a.item:
            group.items[a.item] = group.items.get(a.item, 0) + 1
        for label in a.labels:
            group.labels[label] = group.labels.get(label, 0) + 1
        if not group.apart:
            self._enter(group, a)

    def take(self, alert: str) -> tuple[Group, Member]:
        """Take an alert out of its group; the group stays, also when it is empty now."""
        group = self.all[self.of.pop(alert)]
        member = group.members.pop(alert)
        a = member.arrival
        _less(group.whats, a.what)
        if a.item and _less(group.items, a.item):
            _without(self.by_item, a.item, group.id)
        for label in a.labels:
            if _less(group.labels, label):
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
                _without(self.by_item, item, group.id)
            for label in group.labels:
                _without(self.by_label, label, group.id)

    def warm_up(self, group: Group, time_ms: int) -> None:
        """Something went on in a group at this time."""
        group.last_ms = max(group.last_ms, time_ms)
        if group.id not in self.warm and not group.apart:
            self.warm[group.id] = group
            for member in group.members.values():
                self._enter(group, member.arrival)

    def _enter(self, group: Group, a: Arrival) -> None:
        self.warm_up(group, a.time_ms)
        if a.item:
            self.by_item.setdefault(a.item, {})[group.id] = group
        for label in a.labels:
            carriers = self.by_label.setdefault(label, {})
            if len(carriers) <= CROWDED:
                carriers[group.id] = group


def _less(counts: dict[K, int], key: K) -> bool:
    """Count one less; whether none is left."""
    counts[key] -= 1
    if counts[key]:
        return False
    del counts[key]
    return True


def _without(index: dict[str, dict[int, Group]], key: str, number: int) -> None:
    found = index.get(key)
    if found is not None and found.pop(number, None) is not None and not found:
        del index[key]
