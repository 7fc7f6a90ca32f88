"""Evidence: how strongly an arrival belongs to each group that lies near it, by graph, history and labels,
and the sentences that say so. Scores lie between 0 and 1; time only weakens them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from watchkeeper.analysis.correlators.arrival import Arrival
from watchkeeper.analysis.correlators.group import CROWDED, Group, Groups, numbers
from watchkeeper.analysis.correlators.history import History
from watchkeeper.analysis.correlators.near import Near
from watchkeeper.analysis.correlators.rarity import Rarity
from watchkeeper.model.correlation import Parameters
from watchkeeper.model.reason import Reason, ReasonKind

LATEST = 8  # groups that carry a label, looked at for one arrival
VISITS = 96  # (item, group) pairs looked at for one arrival
DIRECT = 0.8  # what the item itself needs is in the group, or the item itself
SURE = 0.5  # with so much from the graph, history is not asked
BATCH = 0.5  # an item without a place in the graph, told in the very rounds in which batches of a group were
HISTORY = 0.6  # at most, for having been together before
LABELS = 0.5  # at most, for carrying the same rare labels


@dataclass(slots=True)
class Evidence:
    """What speaks for one group. `sources` keeps the strongest of each kind with the item or label it is."""

    group: Group
    score: float
    graph: float = 0.0
    nearest: str = ""
    history: float = 0.0
    partner: str = ""
    labels: float = 0.0
    shared: tuple[str, ...] = ()
    loop: bool = False


class Weighing:
    """Finds and scores the groups near an arrival."""

    def __init__(self, groups: Groups, near: Near, history: History, rarity: Rarity) -> None:
        self._groups, self._near, self._history, self._rarity = groups, near, history, rarity
        self.parameters = Parameters()
        self.remembers = True  # whether it counts what came together before

    def near(self, a: Arrival) -> list[Evidence]:
        """Groups this arrival could join, each with its evidence; the order means nothing."""
        found: dict[int, Evidence] = {}
        if a.item:
            self._graph(a, found)
            if self.remembers and not any(e.graph >= SURE for e in found.values()):
                self._together(a, found)
        if a.labels:
            self._same_labels(a, found)
        out: list[Evidence] = []
        for e in found.values():
            pause = a.time_ms - e.group.last_ms
            if pause <= self.parameters.pause_ms:
                e.score = max(e.graph, e.history, e.labels)
                if pause > 0:
                    e.score *= 0.5 ** (pause / self.parameters.fade_ms)
                if e.score >= self.parameters.evidence:
                    out.append(e)
        return out

    def _graph(self, a: Arrival, found: dict[int, Evidence]) -> None:
        """Closeness to the items of each group, nearest first, at most VISITS of them."""
        row = self._near.row.get(a.item)
        if row is None:  # not in the graph: only the item itself is near
            for number in numbers(self._groups.by_item.get(a.item, _NOWHERE)):
                found[number] = Evidence(self._groups.all[number], 0.0, DIRECT, a.item)
            return
        for number, w, nearest, direct in self._groups.places.around(row, self._near, VISITS):
            group = self._groups.all[number]
            w /= math.sqrt(len(group.items))
            if direct and w < DIRECT:
                w = DIRECT
            if w >= self.parameters.evidence:
                found[number] = Evidence(group, 0.0, w if w < 1.0 else 1.0, nearest)

    def _together(self, a: Arrival, found: dict[int, Evidence]) -> None:
        for item, share in self._history.partners(a.item, a.time_ms):
            for number in numbers(self._groups.by_item.get(item, _NOWHERE)):
                e = found.setdefault(number, Evidence(self._groups.all[number], 0.0))
                if share * HISTORY > e.history:
                    e.history, e.partner = share * HISTORY, item

    def _same_labels(self, a: Arrival, found: dict[int, Evidence]) -> None:
        """The share of what the arrival's labels tell that a group's alerts carry too. A label that no other
        alert carries tells who it is, not what it belongs to."""
        seen: dict[int, list[str]] = {}
        rarity: dict[str, float] = {}
        for label in a.labels:
            carriers = numbers(self._groups.by_label.get(label, _NOWHERE))
            if carriers:
                rarity[label] = self._rarity.of(label)
                if len(carriers) <= CROWDED:
                    for number in islice(reversed(carriers), LATEST):
                        seen.setdefault(number, []).append(label)
        whole = max(1.0, sum(rarity.values()))
        for number, shared in seen.items():
            told = LABELS * sum(rarity[x] for x in shared) / whole
            if told >= self.parameters.evidence:
                e = found.setdefault(number, Evidence(self._groups.all[number], 0.0))
                e.labels, e.shared = told, tuple(sorted(shared, key=lambda x: -rarity[x]))

    def reasons(self, a: Arrival, e: Evidence, name: Callable[[str], str]) -> tuple[Reason, ...]:
        """The evidence as sentences, heaviest first, weights adding up to 1."""
        pause = max(0, a.time_ms - e.group.last_ms)
        text = f"It began {_span(pause)} after the one before it." if pause else _SAME_INSTANT
        parts = [(0.3 * 0.5 ** (pause / self.parameters.fade_ms), ReasonKind.TIME, text)]
        if e.graph:
            parts.append((e.graph, ReasonKind.GRAPH, self._nearness(a.item, e.nearest, name)))
        if e.history:
            times = self._history.times(a.item, e.partner, a.time_ms)
            text = f"{name(a.item)} and {name(e.partner)} have had alerts together {_times(times)} before."
            parts.append((e.history, ReasonKind.HISTORY, text))
        if e.labels:
            text = f"It carries {', '.join(e.shared[:3])} as others here do."
            parts.append((e.labels, ReasonKind.LABELS, text))
        if e.loop:
            text = f"{name(a.item) if a.item else 'It'} was looked at in the same round as others here."
            parts.append((BATCH, ReasonKind.TIME, text))
        parts.sort(reverse=True)
        whole = sum([w for w, _, _ in parts])
        return tuple([Reason(kind, text, round(w / whole, 3)) for w, kind, text in parts])

    def _nearness(self, item: str, nearest: str, name: Callable[[str], str]) -> str:
        who = name(item)
        if nearest == item:
            return f"{who} already has alerts here."
        if self._near.need(item, nearest):
            return f"{who} needs {name(nearest)}, which has alerts here."
        if self._near.need(nearest, item):
            return f"{name(nearest)}, which has alerts here, needs {who}."
        return f"{who} is near {name(nearest)}, which has alerts here."


_SAME_INSTANT = "It began at the same instant as others here."
_NOWHERE: list[int] = []


def _times(count: float) -> str:
    return f"about {round(count)} times"


def _span(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms // 1000} s" if ms < 120_000 else f"{ms // 60_000} min"
