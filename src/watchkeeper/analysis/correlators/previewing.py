"""What other parameters would have made of past alerts, beside what those in use make of them: how many groups, and which
of them would be one, or several. Nothing of the live correlator is touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from watchkeeper.analysis.correlators.arrival import Arrival
from watchkeeper.analysis.correlators.graph_time import GraphTime
from watchkeeper.model.correlation import Parameters
from watchkeeper.model.topology import Topology

SLICE = 1000  # alerts placed between two words of progress


class Difference(NamedTuple):
    """Groups of one side, as the ids of their alerts, that are one group on the other side."""

    whole: frozenset[str]
    parts: tuple[frozenset[str], ...]


class Preview(NamedTuple):
    """Groups with the parameters in use, and with the others; what would be taken together and what would be taken
    apart, the largest first."""

    now: int
    then: int
    together: list[Difference]
    apart: list[Difference]


def preview(
    arrivals: Sequence[Arrival], topology: Topology, used: Parameters, wanted: Parameters,
    progress: Callable[[int], None] = lambda _: None,
) -> Preview:  # fmt: skip
    """Group past alerts, in the order of their begin, once with each. Time is linear in the alerts; all stay in memory
    until it is done, so the caller bounds them."""
    now = _groups(arrivals, topology, used, progress)
    then = _groups(arrivals, topology, wanted, lambda n: progress(len(arrivals) + n))
    return Preview(len(now), len(then), _united(now, then), _united(then, now))


def _groups(
    arrivals: Sequence[Arrival], topology: Topology, parameters: Parameters, progress: Callable[[int], None]
) -> list[frozenset[str]]:
    correlator = GraphTime()
    correlator.choose(parameters)
    for start in range(0, len(arrivals), SLICE):
        correlator.place(arrivals[start : start + SLICE], topology)
        progress(min(start + SLICE, len(arrivals)))
    return [frozenset(g.members) for g in correlator.groups.all.values() if g.members]


def _united(parts: Sequence[frozenset[str]], wholes: Sequence[frozenset[str]]) -> list[Difference]:
    """Wholes that most of several parts went into."""
    of = {alert: n for n, whole in enumerate(wholes) for alert in whole}
    found: dict[int, list[frozenset[str]]] = defaultdict(list)
    for part in parts:
        homes = [of[a] for a in part]
        found[max(sorted(set(homes)), key=homes.count)].append(part)
    several = [Difference(wholes[n], tuple(p)) for n, p in found.items() if len(p) > 1]
    return sorted(several, key=lambda d: (-len(d.parts), -len(d.whole), min(d.whole)))
