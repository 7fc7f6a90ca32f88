"""What depends on an item and what it depends on, as it is or was at a time: the relations followed step by step,
in the database, so that a question costs what its answer holds and not the size of the graph.

A redundancy group fails with its members only when fewer of them are left than it needs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.models import GroupMember, Item, RedundancyGroup, Relation
from watchkeeper.model.topology import RelationKind as K

NEEDED_BY, NEEDS = "needed-by", "needs"
DIRECTIONS = (NEEDED_BY, NEEDS)
MOST = 10_000  # items of one answer
#: kinds that point from what suffers to what it needs, and those that point the other way
FORWARD, _BACKWARD = (K.DEPENDS_ON, K.RUNS_ON), (K.CONTAINS,)


@dataclass(frozen=True, slots=True)
class Reached:
    """An item of an answer: how many steps away, and by which relation from which item."""

    id: str
    distance: int
    kind: str
    through: str


@dataclass
class Reach:
    """The answer: `items` in order of distance, without the item that was asked about; `more` when it was cut off;
    `spared` are redundancy groups that lose members and hold, with how many they have left."""

    start: str
    direction: str
    items: list[Reached] = field(default_factory=list)
    more: bool = False
    spared: dict[str, int] = field(default_factory=dict)


def reach(start: str, direction: str, hops: int, at: dt.datetime | None = None, most: int = MOST) -> Reach:
    """What is reached from an item within `hops` steps, as it holds now or held at `at`."""
    found = Reach(start, direction)
    seen, edge = {start}, [start]
    groups = _Groups()
    for distance in range(1, hops + 1):
        steps = list(_steps(edge, direction, at))
        if direction == NEEDED_BY:
            steps += groups.failing(edge)
        edge = []
        for kind, through, item in steps:
            if item in seen:
                continue
            if len(found.items) >= most:
                found.more = True
                break
            seen.add(item)
            edge.append(item)
            found.items.append(Reached(item, distance, kind, through))
        if not edge or found.more:
            break
    found.spared = groups.spared()
    return found


def holding(at: dt.datetime | None) -> Q:
    """The relations that hold now, or held then."""
    return Q(valid_to=None) if at is None else Q(valid_from__lte=at) & (Q(valid_to=None) | Q(valid_to__gt=at))


def among(items: Iterable[str], at: dt.datetime | None = None) -> list[Relation]:
    """The relations between these items."""
    ids = list(items)
    found: list[Relation] = []
    for part in chunks(ids):
        found += Relation.objects.filter(holding(at), source__in=part)
    known = set(ids)
    return [r for r in found if r.target_id in known]


def _steps(edge: list[str], direction: str, at: dt.datetime | None) -> Iterator[tuple[str, str, str]]:
    """One step on: (kind of relation, from, to)."""
    there, here = ("source_id", "target_id") if direction == NEEDED_BY else ("target_id", "source_id")
    backward = _BACKWARD if direction == NEEDS else (*_BACKWARD, K.MEMBER_OF)
    for part in chunks(edge):
        for kinds, near, far in ((FORWARD, here, there), (backward, there, here)):
            rows = _held(at).filter(**{f"{near}__in": part}, kind__in=kinds)
            yield from rows.order_by("id").values_list("kind", near, far)


def _held(at: dt.datetime | None) -> QuerySet[Relation]:
    return Relation.objects.filter(holding(at))


class _Groups:
    """Redundancy groups that have lost members so far."""

    def __init__(self) -> None:
        self._lost: dict[str, set[str]] = {}
        self._size: dict[str, tuple[int, int]] = {}  # members, and how many are needed

    def failing(self, edge: list[str]) -> list[tuple[str, str, str]]:
        """The groups that fail because these items do, as steps."""
        touched: dict[str, str] = {}
        for part in chunks(edge):
            for group, item in GroupMember.objects.filter(item__in=part).values_list("group_id", "item_id"):
                self._lost.setdefault(group, set()).add(item)
                touched[group] = item
        self._learn([g for g in touched if g not in self._size])
        return [
            (K.MEMBER_OF.value, item, g) for g, item in touched.items() if self._left(g) < self._size[g][1]
        ]

    def _learn(self, groups: list[str]) -> None:
        for group in RedundancyGroup.objects.filter(pk__in=groups).prefetch_related("members"):
            self._size[group.pk] = len(group.members.all()), group.needed

    def _left(self, group: str) -> int:
        return self._size[group][0] - len(self._lost[group])

    def spared(self) -> dict[str, int]:
        """Groups that hold, and how many members they have left."""
        return {g: self._left(g) for g in self._lost if self._left(g) >= self._size[g][1]}


def named(ids: Iterable[str], of: QuerySet[Item] | None = None) -> dict[str, Item]:
    """Items by id, those that are among `of` when it is given."""
    known = Item.objects.all() if of is None else of
    found: dict[str, Item] = {}
    for part in chunks(ids):
        found |= known.in_bulk(part)
    return found
