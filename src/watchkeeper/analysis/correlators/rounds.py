"""Rounds: how often what tells of an alert looks again. A loop that looks every fifteen seconds tells of one trouble at
times that are whole rounds apart, and of another, that a different loop looks at, between them. The period of each
name's loop is learned online, by how much better it foretells when alerts come than chance does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

from watchkeeper.analysis.correlators.group import Group

PERIODS_MS = (5000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000)
WIDTH_MS = 80  # how exactly a round is kept
APART_MS = 2000  # alerts closer than this were told in one go, whatever the period
BACK = 120  # earlier alerts of a group that are looked at
TAUGHT = 48  # … and, to learn from
MEMORY_MS = 300_000  # and not longer ago
ENOUGH = 20.0  # alerts of a name before its period is believed
TELLING = 0.1  # nats by which a period has to foretell better than chance
_EVERY = 8  # one alert in so many teaches
_STRAY = 0.1  # share of what comes between the rounds
_DOUBT = 3.0  # alerts by chance that a rhythm is doubted by
_HALVE_AT = 500.0
_KEEP = 5000  # names


class Rounds:
    """Gains of each period by name: summed nats, and how many alerts taught them."""

    def __init__(self) -> None:
        self._gains: dict[str, list[float]] = {}  # count, then one sum a period
        self._heard = 0

    def learn(self, name: str, time_ms: int, group: Group) -> None:
        """An alert has been in this group for good."""
        self._heard += 1
        if self._heard % _EVERY or len(group.members) < 4:
            return
        pauses = [time_ms - t for t in _before(group, name, time_ms, TAUGHT) if time_ms - t >= APART_MS]
        if len(pauses) < 3:
            return
        gains = self._gains.get(name)
        if gains is None:
            if len(self._gains) >= _KEEP:
                del self._gains[next(iter(self._gains))]
            gains = self._gains[name] = [0.0] * (1 + len(PERIODS_MS))
        gains[0] += 1.0
        for k, period in enumerate(PERIODS_MS, 1):
            gains[k] += _nats(pauses, period)
        if gains[0] > _HALVE_AT:
            self._gains[name] = [x / 2 for x in gains]

    def period(self, name: str) -> int:
        """Of the loop that tells of this name, milliseconds; 0 while none is known."""
        gains = self._gains.get(name)
        if gains is None or gains[0] < ENOUGH:
            return 0
        best = max(range(1, len(gains)), key=gains.__getitem__)
        return PERIODS_MS[best - 1] if gains[best] > TELLING * gains[0] else 0

    def fit(self, name: str, time_ms: int, period: int, group: Group) -> float:
        """How well a time fits the rounds of a group, in nats; comparable between groups at one time."""
        pauses = [time_ms - t for t in _before(group, name, time_ms, BACK)]
        return _nats(pauses, period)

    def snapshot(self) -> dict[str, list[float]]:
        """Plain data for `restore`."""
        return self._gains

    def restore(self, state: Any) -> None:
        """Take a snapshot back."""
        size = 1 + len(PERIODS_MS)
        found = {str(k): [float(x) for x in v] for k, v in dict(state).items()}
        self._gains = {k: v for k, v in found.items() if len(v) == size}


def _before(group: Group, name: str, time_ms: int, most: int) -> list[int]:
    """When alerts of this name came before, of the last of the group; the last first."""
    last = islice(reversed(group.members.values()), most)
    earliest = time_ms - MEMORY_MS
    return [at for m in last if m[0][3] == name and earliest <= (at := m[0][1]) <= time_ms]


def _nats(pauses: Sequence[int], period: int) -> float:
    """How much more likely an alert is after these pauses than it is at any time, when rounds have this period: kept
    as exactly as a Laplace distribution of WIDTH_MS tells, but for a share that comes between rounds."""
    chance = 2 * WIDTH_MS / period
    fitting = _DOUBT * chance
    for pause in pauses:
        off = pause % period
        off = min(off, period - off)
        if off < 6 * WIDTH_MS:
            fitting += math.exp(-off / WIDTH_MS)
    return math.log(_STRAY + (1.0 - _STRAY) * fitting / (chance * (_DOUBT + len(pauses))))
