"""Articulation points of a graph with the sizes of the parts that are left without each (Tarjan 1972), without
recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def parts_left(adjacent: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[int]]]:
    """Every articulation point of every component, with the sizes of what falls apart without it.

    >>> dict(parts_left({"a": ["hub"], "b": ["c", "hub"], "c": ["b"], "hub": ["a", "b"]}))["hub"]
    [2, 1]
    """
    seen: dict[str, int] = {}
    low: dict[str, int] = {}
    size: dict[str, int] = {}
    for root in adjacent:
        if root in seen:
            continue
        cut: dict[str, list[int]] = {}
        before = len(seen)
        seen[root] = low[root] = len(seen)
        stack = [(root, "", iter(adjacent[root]))]
        while stack:
            x, parent, ways = stack[-1]
            for y in ways:
                if y not in seen:
                    seen[y] = low[y] = len(seen)
                    stack.append((y, x, iter(adjacent[y])))
                    break
                if y != parent:
                    low[x] = min(low[x], seen[y])
            else:
                stack.pop()
                size[x] = size.get(x, 0) + 1
                if stack:
                    low[parent] = min(low[parent], low[x])
                    size[parent] = size.get(parent, 0) + size[x]
                    if low[x] >= seen[parent]:
                        cut.setdefault(parent, []).append(size[x])
        for x, parts in cut.items():
            rest = len(seen) - before - 1 - sum(parts)
            yield x, parts if rest <= 0 else [*parts, rest]
