"""The two loops that run for every arrival, compiled: the walk around an item, and the weighing of the groups
that are about what lies around. Plain functions over arrays; Near and Places hold the arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST = 64  # items around one
RINGS = 5  # steps outwards, the item itself included
SLOTS = 6  # groups about one item, the last to come
FOUND = 64  # groups found for one arrival


@compiled
def walk(start: int, head: Ints, following: Ints, to: Ints, needed: Bools, hub: Bools, stamp: Ints, mark: int,
         queue: Ints, ring: Ints, direct: Bools) -> int:  # fmt: skip
    """Breadth first from `start` into `queue`, with the ring of each row and whether `start` needs it; how many.
    Edges of x are a linked list from head[x]. Hubs are ends of the way, and round a hub lie only its neighbours."""
    queue[0], ring[0], direct[0] = start, 0, True
    stamp[start] = mark
    seen, i = 1, 0
    while i < seen and seen < MOST:
        x, level = queue[i], ring[i]
        if level < (1 if hub[start] else RINGS - 1) and (i == 0 or not hub[x]):
            edge = head[x]
            while edge >= 0 and seen < MOST:
                y = to[edge]
                if stamp[y] != mark:
                    stamp[y] = mark
                    queue[seen], ring[seen] = y, level + 1
                    direct[seen] = i == 0 and needed[edge]
                    seen += 1
                elif i == 0 and needed[edge]:
                    for j in range(seen):
                        if queue[j] == y:
                            direct[j] = True
                edge = following[edge]
        i += 1
    return seen


@compiled
def weigh(count: int, queue: Ints, ring: Ints, direct: Bools, slots: Ints, closeness: Floats, visits: int,
          groups: Ints, weight: Floats, nearest: Ints, sure: Bools) -> int:  # fmt: skip
    """Sum closeness by group over the walked rows, nearest first, until `visits` (row, group) pairs are seen;
    how many groups were found."""
    found = visited = 0
    for i in range(count):
        for s in range(SLOTS):
            group = slots[queue[i], s]
            if group == 0:
                break
            visited += 1
            k = 0
            while k < found and groups[k] != group:
                k += 1
            if k == found:
                if found == FOUND:
                    continue
                groups[k], weight[k], nearest[k], sure[k] = group, 0.0, queue[i], False
                found += 1
            weight[k] += closeness[ring[i]]
            sure[k] = sure[k] or direct[i]
        if visited >= visits:
            break
    return found


@compiled
def put(slots: Ints, row: int, group: int) -> None:
    """Note that a group is about an item; the oldest of SLOTS gives way."""
    for s in range(SLOTS):
        if slots[row, s] == group:
            return
        if slots[row, s] == 0:
            slots[row, s] = group
            return
    for s in range(SLOTS - 1):
        slots[row, s] = slots[row, s + 1]
    slots[row, SLOTS - 1] = group


@compiled
def take(slots: Ints, row: int, group: int) -> None:
    """Note that a group is no longer about an item."""
    for s in range(SLOTS):
        if slots[row, s] == group:
            for t in range(s, SLOTS - 1):
                slots[row, t] = slots[row, t + 1]
            slots[row, SLOTS - 1] = 0
            return
