"""Changes and deploys that were told of, so that a finding can say that it began after one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology

BEFORE_MS = 1_800_000  # a change this long before the trouble may be behind it
AFTER_MS = 120_000  # it is told of when it is done, and may have been at work before
KEPT_MS = 7_200_000
MOST_ITEMS, MOST_OF_ITEM = 5_000, 20
FAR = 2  # steps towards what an item needs


class Changed(NamedTuple):
    """A change of an item."""

    id: str
    item: str
    name: str
    time_ms: int


class Changes:
    """The last changes of each item; bounded."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, list[Changed]] = OrderedDict()  # the item changed last is the last

    def hear(self, work: Work) -> None:
        """Take in the changes among the events of this Work."""
        for event in work.events:
            if event.kind == "change" and event.item:
                self._add(
                    Changed(event.id, event.item, event.name[:200], event.starts_ms or event.received_ms)
                )
        for old, new in work.became.items():
            for change in self._of.pop(old, ()) if new else ():
                self._add(change._replace(item=new))

    def _add(self, change: Changed) -> None:
        known = [c for c in self._of.get(change.item, ()) if c.time_ms >= change.time_ms - KEPT_MS]
        self._of[change.item] = [*known, change][-MOST_OF_ITEM:]
        self._of.move_to_end(change.item)
        if len(self._of) > MOST_ITEMS:
            self._of.popitem(last=False)

    def before(self, item: str, began_ms: int, topology: Topology) -> Changed | None:
        """The change of this item, or of what it needs, that came last before then; the nearest to the item of equals."""
        if not item or not self._of:
            return None
        near, edge = [item], [item]
        for _ in range(FAR):
            edge = [i for e in edge for i in topology.needs(e)]
            near += edge
        found = [
            (c.time_ms, -n, c)
            for n, i in enumerate(dict.fromkeys(near))
            for c in self._of.get(i, ())
            if began_ms - BEFORE_MS <= c.time_ms <= began_ms + AFTER_MS
        ]
        return max(found)[2] if found else None

    def snapshot(self) -> list[list[str | int]]:
        """As plain data."""
        return [list(c) for known in self._of.values() for c in known]

    def restore(self, state: Sequence[Sequence[str | int]]) -> None:
        """Take back a snapshot."""
        for id_, item, name, time_ms in state:
            self._add(Changed(str(id_), str(item), str(name), int(time_ms)))


def phrase(change: Changed, topology: Topology) -> str:
    """“Deploy 42” of cart."""
    return f"“{change.name}” of {topology.name(change.item)}"


def reason(change: Changed, began_ms: int, topology: Topology) -> Reason:
    """That something began after a change, in words."""
    after = began_ms - change.time_ms
    when = f"{words.duration(after)} after" if after > 0 else "just when it was told of"
    text = f"It began {when} {phrase(change, topology)}."
    return Reason(
        ReasonKind.CHANGE, text, 0.5, {"change": change.id, "item": change.item, "at_ms": change.time_ms}
    )
