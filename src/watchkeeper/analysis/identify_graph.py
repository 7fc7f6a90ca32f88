"""The graph while signals are being read: it grows, and what is new or must be said again is gathered for the
inventory. What observers said and do not say any more leaves it after a while.

Saying everything each time it is seen would be a write an event, so what is known is said again at most every
`SEEN_MS`, and at most `MOST_SEEN` things at a time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

import msgspec

from watchkeeper.model.topology import Discovery, Item, Relation, Topology

SEEN_MS = 300_000
MOST_SEEN = 200
HOLD_MS = 86_400_000
EXPIRE_EVERY_MS = 600_000
MINUTE_MS = 60_000


class Growing:
    """A topology that grows by discoveries. `per_minute` bounds the items that one door may add by naming them,
    `most_items` those of the whole graph; what was refused is counted by door."""

    def __init__(self, per_minute: int = 1000, most_items: int = 200_000, hold_ms: int = HOLD_MS) -> None:
        self.topology = Topology()
        self.now_ms = 0
        self.refused: Counter[str] = Counter()
        self.version = 0  # counts what may make names resolve differently
        self._per_minute, self._most_items, self._hold_ms = per_minute, most_items, hold_ms
        self._minute = 0
        self._added: Counter[str] = Counter()
        self._new: list[Discovery] = []
        self._said: dict[str | Relation, int] = {}
        self._queue: deque[str | Relation] = deque()
        self._expired_ms = 0

    def begin(self, topology: Topology, now_ms: int) -> bool:
        """Go on with this topology. True when it is not the one that was left last time: others have changed it."""
        self.now_ms = now_ms
        if now_ms // MINUTE_MS != self._minute:
            self._minute = now_ms // MINUTE_MS
            self._added.clear()
        if topology is self.topology:
            return False
        self.topology = topology
        self.version += 1
        self._new, self._said = [], {}
        self._queue.clear()
        # when these were last seen is not known here; from now on it is
        self._said.update((r, now_ms) for r in topology.relations if r.origin)
        return True

    def admits(self, door: str) -> bool:
        """Whether a door may add an item now; counts the refusal if not."""
        if self._added[door] >= self._per_minute or len(self.topology.items) >= self._most_items:
            self.refused[door] += 1
            return False
        self._added[door] += 1
        return True

    def add(self, origin: str, items: Iterable[Item], relations: Iterable[Relation]) -> bool:
        """Take in what a signal showed; True when something of it was new."""
        items = [i for i in items if self.topology.items.get(i.id) != i]
        relations = [r for r in relations if r not in self.topology.relations]
        if not items and not relations:
            return False
        new = Discovery(self.now_ms, origin, tuple(items), tuple(dict.fromkeys(relations)))
        self.topology = self.topology.with_discovery(new)
        self._new.append(new)
        self._said.update((i.id, self.now_ms) for i in items)
        self._said.update((r, self.now_ms) for r in relations)
        if items:
            self.version += 1
        return True

    def drop(self, items: Iterable[str], relations: Iterable[Relation]) -> None:
        """Let go of these items and relations, also of what was to be told of them."""
        gone, ended = set(items), set(relations)
        self.topology = self.topology.without_items(gone).without_relations(ended)
        self.version += 1
        self._new = [
            msgspec.structs.replace(
                d,
                items=tuple(i for i in d.items if i.id not in gone),
                relations=tuple(
                    r for r in d.relations if gone.isdisjoint((r.source, r.target)) and r not in ended
                ),
            )
            for d in self._new
        ]
        self._said = {x: ms for x, ms in self._said.items() if x not in gone and x not in ended}

    def seen(self, items: Iterable[str], relations: Iterable[Relation]) -> None:
        """Note that these are there; they are said again when they have not been for a while."""
        before = self.now_ms - SEEN_MS
        things: Iterable[str | Relation] = (*items, *relations)
        for thing in things:
            if self._said.get(thing, 0) <= before:
                self._said[thing] = self.now_ms
                self._queue.append(thing)

    def take(self) -> list[Discovery]:
        """What has to be told to the inventory: everything new, and some of what was seen again."""
        found, self._new = self._new, []
        again = [self._queue.popleft() for _ in range(min(MOST_SEEN, len(self._queue)))]
        items = [i for x in again if isinstance(x, str) and (i := self.topology.items.get(x)) is not None]
        relations = [x for x in again if isinstance(x, Relation) and x in self.topology.relations]
        if items or relations:
            found.append(Discovery(self.now_ms, "seen", tuple(items), tuple(relations)))
        return found

    def expire(self) -> None:
        """Let go of relations that their observers have not confirmed for the hold time."""
        if 0 <= self.now_ms - self._expired_ms < EXPIRE_EVERY_MS:
            return
        self._expired_ms = self.now_ms
        before = self.now_ms - self._hold_ms
        gone = [x for x, said in self._said.items() if said < before and isinstance(x, Relation)]
        self.topology = self.topology.without_relations(gone)
        self._said = {x: said for x, said in self._said.items() if said >= before}
