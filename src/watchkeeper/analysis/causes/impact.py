"""Impact: whom trouble with an item can reach, and what can be behind trouble with an item, along the graph.
Trouble goes against depends_on and runs_on, between parts and wholes both ways, and from a container to
what it contains; it loses force with every step."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.analysis.correlators.near import Near
from watchkeeper.model.topology import RelationKind, Topology

FORCE = (1.0, 0.6, 0.36, 0.2)  # by steps
MOST = 200  # items that are looked at around one
_NEEDS = (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON)


class Impact:
    """Reach in one topology, remembered until it changes."""

    def __init__(self) -> None:
        self._topology = Topology()
        self._near = Near()
        self._behind: dict[str, dict[str, float]] = {}
        self._reached: dict[str, dict[str, float]] = {}

    def follow(self, topology: Topology) -> None:
        """Use this topology from now on; cheap when its relations are the same."""
        if topology is not self._topology and topology.relations != self._topology.relations:
            self._behind, self._reached = {}, {}
        self._topology = topology
        self._near.follow(topology)

    def behind(self, item: str) -> dict[str, float]:
        """Items whose trouble can be behind trouble with this one, with the force it arrives with; itself
        1."""
        known = self._behind.get(item)
        if known is None:
            known = self._behind[item] = self._walk(item, up=True)
        return known

    def reached(self, item: str) -> dict[str, float]:
        """Items that trouble with this one can reach, with the force it arrives with; itself 1."""
        known = self._reached.get(item)
        if known is None:
            known = self._reached[item] = self._walk(item, up=False)
        return known

    def parts(self, item: str) -> list[str]:
        """What is a part of this item."""
        return [r.source for r in self._topology.incoming.get(item, ()) if r.kind is RelationKind.MEMBER_OF]

    def bottom(self, item: str) -> bool:
        """Whether it needs nothing, or only hubs, which much that is well needs too."""
        return all(x in self._near.hubs for x, _ in self._needs(item))

    def _needs(self, item: str) -> Iterator[tuple[str, RelationKind]]:
        for r in self._topology.outgoing.get(item, ()):
            if r.kind in _NEEDS or r.kind is RelationKind.MEMBER_OF:
                yield r.target, r.kind
        for r in self._topology.incoming.get(item, ()):
            if r.kind in (RelationKind.CONTAINS, RelationKind.MEMBER_OF):
                yield r.source, r.kind

    def _needed_by(self, item: str) -> Iterator[tuple[str, RelationKind]]:
        for r in self._topology.incoming.get(item, ()):
            if r.kind in _NEEDS or r.kind is RelationKind.MEMBER_OF:
                yield r.source, r.kind
        for r in self._topology.outgoing.get(item, ()):
            if r.kind in (RelationKind.CONTAINS, RelationKind.MEMBER_OF):
                yield r.target, r.kind

    def alone(self, item: str) -> bool:
        """Whether nothing is known to be related to it."""
        return item not in self._topology.outgoing and item not in self._topology.incoming

    def _walk(self, item: str, *, up: bool) -> dict[str, float]:
        """Breadth first. From a part to its whole and down again to another part is no way: parts of one
        whole don't need each other."""
        step = self._needs if up else self._needed_by
        found, ring = {item: FORCE[0]}, [(item, False)]
        for force in FORCE[1:]:
            following: list[tuple[str, bool]] = []
            for x, along_parts in ring:
                for y, kind in step(x):
                    is_part = kind is RelationKind.MEMBER_OF
                    if y in found or (is_part and along_parts) or len(found) >= MOST:
                        continue
                    found[y] = force
                    following.append((y, is_part))
            ring = following
        return found
