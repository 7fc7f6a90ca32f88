"""What a cause finder is given of a situation, and the protocol that cause finders follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Cause


class Clue(NamedTuple):
    """One alert of the situation. `rank`: 0 info to 3 critical."""

    item: str
    name: str
    time_ms: int
    rank: int = 1


class Change(NamedTuple):
    """Something was changed: a deploy, a configuration, a failover."""

    id: str
    item: str
    name: str
    time_ms: int


Changes = Mapping[str, Sequence[Change]]  # by item
NO_CHANGES: Changes = {}


class CauseFinder(Protocol):
    """Ranks causes. It has no clock."""

    version: str

    def rank(self, clues: Sequence[Clue], topology: Topology, changes: Changes = NO_CHANGES) -> list[Cause]:
        """At most five candidates, best first, scores between 0 and 1; empty when no clue names an item."""
        ...

    def learn(self, clues: Sequence[Clue], topology: Topology) -> None:
        """A situation is over: what was in it is a little less surprising from now on."""
        ...

    def suffering(self, cause: str, among: Iterable[str], topology: Topology) -> list[str]:
        """Those of these items that trouble with the cause can reach, its own parts excluded."""
        ...

    def snapshot(self) -> Any:
        """What was learned, as plain data."""
        ...

    def restore(self, state: Any) -> None:
        """Take back what was learned; anything unknown is as good as nothing."""
        ...
