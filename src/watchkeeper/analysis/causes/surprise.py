"""Surprise: how unusual an alert is for its item, in nats, from how often situations before had it. What
fires in every situation says little about this one (inverse document frequency; Sparck Jones 1972),
smoothed towards what is usual for items of the same kind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from watchkeeper.model.topology import Topology

SMOOTH = 6.0  # situations that the kind's habit counts for
CLEAR = 3  # items a situation needs to teach anything
HALVE_AT = 1000.0  # situations after which old ones count half
KEYS = 100_000


class Surprise:
    """Counts of (item, alert name) and (kind, alert name) over situations."""

    def __init__(self) -> None:
        self._situations = 0.0
        self._item: dict[tuple[str, str], float] = {}
        self._kind: dict[tuple[str, str], float] = {}
        self._sizes: dict[str, int] = {}
        self._sized: Topology | None = None

    def of(self, item: str, name: str, topology: Topology) -> float:
        """Nats, 0 for what always fires.

        >>> s = Surprise()
        >>> for _ in range(20):
        ...     s.learn([("a", "Down"), ("b", "Slow"), ("c", "Slow")], Topology())
        >>> round(s.of("a", "Down", Topology()), 1), round(s.of("a", "Slow", Topology()), 1)
        (0.0, 1.0)
        """
        n, kind = self._situations, _kind_of(item, topology)
        usual = (self._kind.get((kind, name), 0.0) + 0.5) / (n * self._size(kind, topology) + 5.0)
        share = (self._item.get((item, name), 0.0) + SMOOTH * usual) / (n + SMOOTH)
        return max(0.0, -math.log(max(share, 1e-4)))

    def learn(self, pairs: Iterable[tuple[str, str]], topology: Topology) -> None:
        """Count the distinct (item, alert name) of a situation that is over."""
        distinct: Sequence[tuple[str, str]] = sorted(set(pairs))
        if len({item for item, _ in distinct}) < CLEAR:
            return
        self._situations += 1.0
        for item, name in distinct:
            self._item[item, name] = self._item.get((item, name), 0.0) + 1.0
            kind = (_kind_of(item, topology), name)
            self._kind[kind] = self._kind.get(kind, 0.0) + 1.0
        if self._situations > HALVE_AT or len(self._item) > KEYS:
            self._fade()

    def _fade(self) -> None:
        self._situations /= 2
        self._item = {k: v / 2 for k, v in self._item.items() if v > 1.0}
        self._kind = {k: v / 2 for k, v in self._kind.items() if v > 1.0}

    def _size(self, kind: str, topology: Topology) -> int:
        if topology is not self._sized and (
            self._sized is None or len(topology.items) != len(self._sized.items)
        ):
            self._sizes = {}
            for item in topology.items.values():
                self._sizes[item.kind] = self._sizes.get(item.kind, 0) + 1
            self._sized = topology
        return self._sizes.get(kind, 1)

    def snapshot(self) -> dict[str, Any]:
        """Plain data for `restore`."""
        return {
            "situations": self._situations,
            "item": [[*k, v] for k, v in self._item.items()],
            "kind": [[*k, v] for k, v in self._kind.items()],
        }

    def restore(self, state: Any) -> None:
        """Take a snapshot back."""
        self._situations = float(state["situations"])
        self._item = {(a, b): float(v) for a, b, v in state["item"]}
        self._kind = {(a, b): float(v) for a, b, v in state["kind"]}


def _kind_of(item: str, topology: Topology) -> str:
    found = topology.items.get(item)
    return found.kind if found else ""
