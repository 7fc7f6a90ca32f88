"""Rarity: how telling it is that two alerts carry the same label, from how many alerts lately carried it.
Bounded, so that labels which are different every time cost no memory."""

from __future__ import annotations

import math
from collections.abc import Iterable

PRIOR = 50.0  # alerts that count as seen without the label
MOST = 50_000  # labels counted
HALVE_AT = 5000.0


class Rarity:
    """Decaying counts of labels."""

    def __init__(self) -> None:
        self._alerts = 0.0
        self._counts: dict[str, float] = {}

    def learn(self, labels: Iterable[str]) -> None:
        """Count the labels of one alert."""
        self._alerts += 1.0
        for label in labels:
            self._counts[label] = self._counts.get(label, 0.0) + 1.0
        if self._alerts > HALVE_AT or len(self._counts) > MOST:
            self._alerts /= 2
            self._counts = {k: n / 2 for k, n in self._counts.items() if n > 1.0}

    def of(self, label: str) -> float:
        """1 for a label never seen, towards 0 for one that every alert carries.

        >>> r = Rarity()
        >>> for n in range(100):
        ...     r.learn(["env=prod", f"host=h{n}"])
        >>> round(r.of("env=prod"), 1), round(r.of("host=h7"), 1)
        (0.1, 0.9)
        """
        share = (self._counts.get(label, 0.0) + 1.0) / (self._alerts + PRIOR)
        return min(1.0, -math.log(min(share, 1.0)) / math.log(self._alerts + PRIOR))
