"""Rarity: how telling it is that two alerts carry the same label, from how many alerts lately carried it.
Bounded, so that labels which are different every time cost no memory."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from typing import Any

DOUBT = 25.0  # after so many alerts half of what labels seem to tell is believed
MOST = 50_000  # labels counted
KEPT = 5000  # over a restart
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
        """1 for a label hardly ever seen, towards 0 for one that every alert carries, and while too little has
        been seen to tell.

        >>> r = Rarity()
        >>> for n in range(100):
        ...     r.learn(["env=prod", f"host=h{n}"])
        >>> round(r.of("env=prod"), 1), round(r.of("host=h7"), 1)
        (0.0, 0.7)
        """
        share = (self._counts.get(label, 0.0) + 1.0) / (self._alerts + 1.0)
        rare = -math.log(min(share, 1.0)) / math.log(self._alerts + 2.0)
        return max(0.0, rare * self._alerts / (self._alerts + DOUBT))

    def snapshot(self) -> dict[str, Any]:
        """Plain data for `restore`: the KEPT labels seen most."""
        most = heapq.nlargest(KEPT, self._counts.items(), key=lambda x: (x[1], x[0]))
        return {"alerts": self._alerts, "counts": dict(most)}

    def restore(self, state: Any) -> None:
        """Take a snapshot back."""
        self._alerts = float(state["alerts"])
        self._counts = {str(k): float(v) for k, v in state["counts"].items()}
