"""Near: which items lie around an item, how closely, and which items are hubs.

A hub is where otherwise separate systems meet (a core switch, a shared host): taken away, it leaves at least
three parts that need it and have some size of their own, or it simply has very many neighbours. What happens
on one side of a hub says little about the other, so nearness ends at a hub and does not pass through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.correlators.articulation import parts_left
from watchkeeper.analysis.correlators.near_walk import MOST, walk
from watchkeeper.model.topology import Relation, RelationKind, Topology

T = TypeVar("T", np.int32, np.bool_)
CLOSENESS = np.array((1.0, 0.8, 0.6, 0.45, 0.3))  # by steps between
CROWD = 150  # so many neighbours make a hub whatever they are
LARGE = 4000  # relations from which the graph counts as large
DRIFT = 0.02  # share of them that may change before hubs are looked for again
PARTS, PART_ITEMS = 3, 3
_NEEDS = (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON, RelationKind.MEMBER_OF)


class Near:
    """Nearness in one topology; `follow` takes a newer one and keeps what still holds. Items of the graph have
    a row, for good; `walk` leaves the rows around one in `queue`, `ring` and `direct`."""

    def __init__(self) -> None:
        self._relations = Topology().relations
        self._topology: Topology | None = None
        self.row: dict[str, int] = {}
        self.names: list[str] = []
        self.queue, self.ring = np.zeros(MOST, np.int32), np.zeros(MOST, np.int32)
        self.direct = np.zeros(MOST, np.bool_)
        self._head = np.zeros(0, np.int32)
        self._hub, self._stamp = np.zeros(0, np.bool_), np.zeros(0, np.int32)
        self._following, self._to = np.zeros(0, np.int32), np.zeros(0, np.int32)
        self._needed = np.zeros(0, np.bool_)
        self._needs: set[int] = set()  # pairs of rows
        self._edges = 0
        self._mark = 0
        self._part: dict[str, int] = {}
        self._alone: set[int] = set()
        self._drift = 0  # relations that came or went since hubs were looked for
        self.hubs: frozenset[str] = frozenset()

    # --- following the graph --------------------------------------------------------------------------
    def follow(self, topology: Topology) -> None:
        """Use this topology from now on; cheap when its relations are the same. In a large graph a few new
        relations are patched in, and hubs are looked for again once enough has changed."""
        if topology is self._topology:
            return
        self._topology = topology
        old, self._relations = self._relations, topology.relations
        if old == topology.relations:
            return
        new = sorted((r for r in topology.relations if r not in old), key=_order)
        gone = len(old) + len(new) - len(topology.relations)
        self._drift += len(new) + gone
        if gone or len(topology.relations) < LARGE or self._drift > DRIFT * len(topology.relations):
            self._build(topology)
        else:
            self._patch(new)

    def _build(self, topology: Topology) -> None:
        relations = sorted(topology.relations, key=_order, reverse=True)
        self._edges, self._drift, self._needs = 0, 0, set()
        self._head[:] = -1
        self._add(relations)
        adjacent: dict[str, set[str]] = {}
        for r in relations:
            adjacent.setdefault(r.source, set()).add(r.target)
            adjacent.setdefault(r.target, set()).add(r.source)
        ordered = {k: sorted(adjacent[k]) for k in sorted(adjacent)}
        self.hubs = frozenset(_hubs(ordered, relations))
        self._hub[:] = False
        self._hub[[self.row[x] for x in self.hubs]] = True
        self._find_parts(ordered)

    def _patch(self, new: list[Relation]) -> None:
        self._add(new)
        for r in new:
            known = self._part.get(r.source) or self._part.get(r.target)
            number = known or max(self._part.values(), default=0) + 1
            for x in (r.source, r.target):
                if x not in self.hubs:
                    self._part.setdefault(x, number)
            self._alone.discard(number)

    def _add(self, relations: list[Relation]) -> None:
        """Put relations at the heads of the edge lists of both their ends."""
        for x in (x for r in relations for x in (r.source, r.target)):
            if x not in self.row:
                self.row[x] = len(self.names)
                self.names.append(x)
        rows, edges = len(self.names), self._edges + 2 * len(relations)
        self._head = _grown(self._head, rows, -1)
        self._hub, self._stamp = _grown(self._hub, rows, 0), _grown(self._stamp, rows, 0)
        self._following, self._to = _grown(self._following, edges, -1), _grown(self._to, edges, 0)
        self._needed = _grown(self._needed, edges, 0)
        for r in relations:
            source, target = self.row[r.source], self.row[r.target]
            self._edge(source, target, r.kind in _NEEDS)
            self._edge(target, source, r.kind is RelationKind.CONTAINS)

    def _edge(self, x: int, y: int, needed: bool) -> None:
        edge = self._edges
        self._to[edge], self._needed[edge], self._following[edge] = y, needed, self._head[x]
        self._head[x] = edge
        self._edges += 1
        if needed:
            self._needs.add(x << 32 | y)

    def _find_parts(self, adjacent: dict[str, list[str]]) -> None:
        self._part, self._alone = {}, set()
        for number, item in enumerate(adjacent, 1):
            if item in self._part or item in self.hubs:
                continue
            stack, size = [item], 0
            self._part[item] = number
            while stack:
                size += 1
                for y in adjacent[stack.pop()]:
                    if y not in self._part and y not in self.hubs:
                        self._part[y] = number
                        stack.append(y)
            if size == 1:
                self._alone.add(number)

    # --- asking -----------------------------------------------------------------------------------------
    def walk(self, row: int) -> int:
        """How many rows lie around this one; they are in `queue`, their distances in `ring`, and in `direct`
        whether they are this item or what it needs."""
        self._mark = self._mark % (2**31 - 2) + 1
        count: int = walk(
            row, self._head, self._following, self._to, self._needed, self._hub, self._stamp, self._mark,
            self.queue, self.ring, self.direct,
        )  # fmt: skip
        return count

    def around(self, item: str) -> list[tuple[str, float]]:
        """(item, closeness 0 to 1) from the item itself outwards, at most MOST; hubs are ends of the way."""
        row = self.row.get(item)
        if row is None:
            return [(item, 1.0)]
        count = self.walk(row)
        return [(self.names[self.queue[i]], float(CLOSENESS[self.ring[i]])) for i in range(count)]

    def need(self, item: str, other: str) -> bool:
        """Whether an item directly needs another."""
        row, target = self.row.get(item), self.row.get(other)
        return row is not None and target is not None and (row << 32 | target) in self._needs

    def part(self, item: str) -> int:
        """The number of the part of the graph this item is in without hubs; 0 if it is by itself."""
        number = self._part.get(item, 0)
        return 0 if number in self._alone else number


def _order(r: Relation) -> tuple[str, str, str, str]:
    return r.source, r.target, r.kind, r.origin


def _hubs(adjacent: dict[str, list[str]], relations: Iterable[Relation]) -> Iterator[str]:
    needed_by: dict[str, int] = {}
    for r in relations:
        if r.kind in _NEEDS:
            needed_by[r.target] = needed_by.get(r.target, 0) + 1
    for item, parts in parts_left(adjacent):
        many = sum(size >= PART_ITEMS for size in parts) >= PARTS
        if many and 2 * needed_by.get(item, 0) > len(adjacent[item]):
            yield item
    yield from (x for x, around in adjacent.items() if len(around) > CROWD)


def _grown(array: NDArray[T], size: int, fill: int) -> NDArray[T]:
    """The array with room for `size`, doubling, new places filled."""
    if size <= len(array):
        return array
    new = np.full(max(size, 2 * len(array)), fill, array.dtype)
    new[: len(array)] = array
    return new
