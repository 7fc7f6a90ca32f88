"""Places: which groups are about the items of the graph, in an array, so that what lies around an arrival is
weighed in one compiled loop."""

from __future__ import annotations

import numpy as np

from watchkeeper.analysis.correlators.near import CLOSENESS, Near
from watchkeeper.analysis.correlators.near_walk import FOUND, SLOTS, put, take, weigh


class Places:
    """The last SLOTS groups about each row of a Near. Items that are not in the graph have no place."""

    def __init__(self, near: Near) -> None:
        self._near = near
        self._slots = np.zeros((0, SLOTS), np.int32)
        self._groups, self._nearest = np.zeros(FOUND, np.int32), np.zeros(FOUND, np.int32)
        self._weight, self._sure = np.zeros(FOUND), np.zeros(FOUND, np.bool_)

    def put(self, item: str, group: int) -> None:
        """A group is about an item."""
        row = self._near.row.get(item)
        if row is not None:
            if row >= len(self._slots):
                self._grow()
            put(self._slots, row, group)

    def take(self, item: str, group: int) -> None:
        """A group is no longer about an item."""
        row = self._near.row.get(item)
        if row is not None and row < len(self._slots):
            take(self._slots, row, group)

    def around(self, row: int, near: Near, visits: int) -> list[tuple[int, float, str, bool]]:
        """Groups about what lies around: number, closeness summed, nearest item, and whether the item itself or
        something it needs is among what they are about."""
        if len(near.names) > len(self._slots):
            self._grow()
        count = near.walk(row)
        found = weigh(
            count, near.queue, near.ring, near.direct, self._slots, CLOSENESS, visits,
            self._groups, self._weight, self._nearest, self._sure,
        )  # fmt: skip
        return [
            (int(self._groups[k]), float(self._weight[k]), near.names[self._nearest[k]], bool(self._sure[k]))
            for k in range(found)
        ]

    def _grow(self) -> None:
        new = np.zeros((max(2 * len(self._slots), len(self._near.names)), SLOTS), np.int32)
        new[: len(self._slots)] = self._slots
        self._slots = new
