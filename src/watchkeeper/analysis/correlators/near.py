"""Near: which items lie around an item, how closely, and which items are hubs.

A hub is where otherwise separate systems meet (a core switch, a shared host): taken away, it leaves at least
three parts that need it and have some size of their own, or it simply has very many neighbours. What happens
on one side of a hub says little about the other, so nearness ends at a hub and does not pass through it.
Articulation points: Tarjan 1972, with sizes of subtrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchkeeper.model.topology import RelationKind, Topology

HOPS = (1.0, 0.8, 0.6, 0.45, 0.3)  # closeness by steps between
MOST = 64  # items around one
CROWD = 150  # so many neighbours make a hub whatever they are
LARGE = 4000  # relations from which the graph counts as large
DRIFT = 0.02  # share of them that may change before hubs are looked for again
PARTS, PART_ITEMS = 3, 3
_NEEDS = (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON, RelationKind.MEMBER_OF)
_NOTHING: frozenset[str] = frozenset()


class Near:
    """Nearness in one topology; `follow` takes a newer one and keeps what still holds."""

    def __init__(self) -> None:
        self._topology = Topology()
        self._adjacent: dict[str, list[str]] = {}
        self._around: dict[str, list[tuple[str, float]]] = {}
        self._needs: dict[str, frozenset[str]] = {}
        self._part: dict[str, int] = {}
        self._alone: set[int] = set()
        self._drift = 0  # relations that came or went since hubs were looked for
        self.hubs: frozenset[str] = frozenset()

    def follow(self, topology: Topology) -> None:
        """Use this topology from now on; cheap when its relations are the same. In a large graph a few new
        relations are patched in, and hubs are looked for again once enough has changed."""
        old, self._topology = self._topology, topology
        if topology is old or topology.relations == old.relations:
            return
        new = [r for r in topology.relations if r not in old.relations]
        gone = len(old.relations) + len(new) - len(topology.relations)
        self._drift += len(new) + gone
        if gone or len(topology.relations) < LARGE or self._drift > DRIFT * len(topology.relations):
            self._build(topology)
        else:
            self._patch((r.source, r.target) for r in new)

    def _build(self, topology: Topology) -> None:
        adjacent: dict[str, set[str]] = {}
        for r in topology.relations:
            adjacent.setdefault(r.source, set()).add(r.target)
            adjacent.setdefault(r.target, set()).add(r.source)
        self._adjacent = {k: sorted(v) for k, v in adjacent.items()}
        self._around, self._needs, self._drift = {}, {}, 0
        self.hubs = frozenset(self._find_hubs())
        self._find_parts()

    def _patch(self, pairs: Iterable[tuple[str, str]]) -> None:
        for source, target in pairs:
            for x, y in ((source, target), (target, source)):
                for z, _ in self.around(x):
                    self._around.pop(z, None)
                self._needs.pop(x, None)
                self._adjacent[x] = sorted({*self._adjacent.get(x, ()), y})
                self._around.pop(x, None)
            known = self._part.get(source) or self._part.get(target)
            number = known or max(self._part.values(), default=0) + 1
            for x in (source, target):
                if x not in self.hubs:
                    self._part.setdefault(x, number)
            self._alone.discard(number)

    def around(self, item: str) -> list[tuple[str, float]]:
        """(item, closeness 0 to 1) from the item itself outwards, at most MOST; hubs are ends of the way."""
        if item not in self._adjacent:
            return [(item, 1.0)]
        known = self._around.get(item)
        if known is None:
            known = self._around[item] = self._walk(item)
        return known

    def needs(self, item: str) -> frozenset[str]:
        """What this item directly needs, hubs included."""
        if item not in self._adjacent:
            return _NOTHING
        known = self._needs.get(item)
        if known is None:
            out = [r.target for r in self._topology.outgoing.get(item, ()) if r.kind in _NEEDS]
            known = self._needs[item] = frozenset(out) | frozenset(self._topology.needs(item))
        return known

    def part(self, item: str) -> int:
        """The number of the part of the graph this item is in without hubs; 0 if it is by itself."""
        number = self._part.get(item, 0)
        return 0 if number in self._alone else number

    def _walk(self, item: str) -> list[tuple[str, float]]:
        if item in self.hubs:  # around a hub lie only its neighbours
            return [(item, 1.0)] + [(y, HOPS[1]) for y in self._adjacent[item][: MOST - 1]]
        found, seen, ring = [(item, 1.0)], {item}, [item]
        hubs, adjacent = self.hubs, self._adjacent
        for closeness in HOPS[1:]:
            following: list[str] = []
            for x in ring:
                for y in adjacent.get(x, ()):
                    if y not in seen:
                        seen.add(y)
                        found.append((y, closeness))
                        if y not in hubs:
                            following.append(y)
                if len(found) >= MOST:
                    return found[:MOST]
            ring = following
        return found

    def _find_hubs(self) -> Iterator[str]:
        needed_by: dict[str, int] = {}
        for r in self._topology.relations:
            if r.kind in _NEEDS:
                needed_by[r.target] = needed_by.get(r.target, 0) + 1
        for item, parts in _parts_left(self._adjacent):
            many = sum(size >= PART_ITEMS for size in parts) >= PARTS
            if many and 2 * needed_by.get(item, 0) > len(self._adjacent[item]):
                yield item
        yield from (x for x, around in self._adjacent.items() if len(around) > CROWD)

    def _find_parts(self) -> None:
        self._part, self._alone = {}, set()
        for number, item in enumerate(sorted(self._adjacent), 1):
            if item in self._part or item in self.hubs:
                continue
            stack, size = [item], 0
            self._part[item] = number
            while stack:
                size += 1
                for y in self._adjacent[stack.pop()]:
                    if y not in self._part and y not in self.hubs:
                        self._part[y] = number
                        stack.append(y)
            if size == 1:
                self._alone.add(number)


def _parts_left(adjacent: dict[str, list[str]]) -> Iterator[tuple[str, list[int]]]:
    """Every articulation point with the sizes of the parts that are left without it."""
    seen: dict[str, int] = {}
    low: dict[str, int] = {}
    size: dict[str, int] = {}
    for root in sorted(adjacent):
        if root in seen:
            continue
        cut: dict[str, list[int]] = {}
        order = [root]
        seen[root] = low[root] = len(seen)
        stack = [(root, "", iter(adjacent[root]))]
        while stack:
            x, parent, ways = stack[-1]
            for y in ways:
                if y not in seen:
                    seen[y] = low[y] = len(seen)
                    order.append(y)
                    stack.append((y, x, iter(adjacent[y])))
                    break
                if y != parent:
                    low[x] = min(low[x], seen[y])
            else:
                stack.pop()
                size[x] = size.get(x, 0) + 1
                if parent:
                    low[parent] = min(low[parent], low[x])
                    size[parent] = size.get(parent, 0) + size[x]
                    if low[x] >= seen[parent]:
                        cut.setdefault(parent, []).append(size[x])
        for x, parts in cut.items():
            rest = len(order) - 1 - sum(parts)
            yield x, parts if rest <= 0 else [*parts, rest]
