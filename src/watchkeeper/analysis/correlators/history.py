"""History: which items have been in trouble together before, as decaying counts that are learned online.

A count halves every two weeks, so that an old arrangement of systems is forgotten. Memory is bounded: at
most PAIRS pairs, of which the weakest are dropped first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HALF_LIFE_MS = 14 * 86_400_000
PAIRS = 100_000
WITH = 8  # partners that one alert is counted with
ENOUGH = 3.0  # times together before it says anything


class History:
    """Counts of items and of pairs of items, each with the time up to which it is decayed."""

    def __init__(self) -> None:
        self._pairs: dict[str, dict[str, tuple[float, int]]] = {}
        self._items: dict[str, tuple[float, int]] = {}
        self._size = 0

    def learn(self, item: str, others: Iterable[str], time_ms: int) -> None:
        """An episode of an item, together with these other items."""
        self._items[item] = (_decayed(self._items.get(item), time_ms) + 1.0, time_ms)
        for other in list(others)[:WITH]:
            for a, b in ((item, other), (other, item)):
                partners = self._pairs.setdefault(a, {})
                self._size += b not in partners
                partners[b] = (_decayed(partners.get(b), time_ms) + 1.0, time_ms)
        if self._size > PAIRS:
            self._drop(time_ms)

    def partners(self, item: str, time_ms: int) -> list[tuple[str, float]]:
        """(other item, share of this item's episodes in which it was there too), the strongest WITH."""
        pairs = self._pairs.get(item)
        if not pairs:
            return []
        whole = max(_decayed(self._items.get(item), time_ms), 1.0)
        counts = [(b, _decayed(n, time_ms)) for b, n in pairs.items()]
        strong = [(b, min(1.0, n / whole)) for b, n in counts if n >= ENOUGH]
        return sorted(strong, key=lambda x: (-x[1], x[0]))[:WITH]

    def times(self, item: str, other: str, time_ms: int) -> float:
        """How often the two were in trouble together; times long ago count less."""
        return _decayed(self._pairs.get(item, {}).get(other), time_ms)

    def _drop(self, time_ms: int) -> None:
        flat = [(_decayed(n, time_ms), a, b) for a, p in self._pairs.items() for b, n in p.items()]
        flat.sort(reverse=True)
        kept = flat[: PAIRS // 2]
        self._pairs = {}
        for n, a, b in kept:
            self._pairs.setdefault(a, {})[b] = (n, time_ms)
        self._size = len(kept)
        self._items = {a: n for a, n in self._items.items() if a in self._pairs}

    def snapshot(self) -> dict[str, Any]:
        """Plain data for `restore`."""
        return {"items": self._items, "pairs": self._pairs}

    def restore(self, state: Any) -> None:
        """Take a snapshot back."""
        self._items = {a: (float(n), int(t)) for a, (n, t) in state["items"].items()}
        self._pairs = {
            a: {b: (float(n), int(t)) for b, (n, t) in p.items()} for a, p in state["pairs"].items()
        }
        self._size = sum(map(len, self._pairs.values()))


def _decayed(count: tuple[float, int] | None, time_ms: int) -> float:
    return count[0] * 0.5 ** (max(0, time_ms - count[1]) / HALF_LIFE_MS) if count else 0.0
