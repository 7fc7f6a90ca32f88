"""Causes from metrics alone: which entity's series left their normal range, were not merely dragged along by
what they need, and are needed by others that suffer. What scores no more than normal times do has no cause.

With a graph a departure counts as far as no item that is needed departs as much in the same metric (a
regression residual in the sense of CIRCA, Li et al. 2022, with the coefficient bounded by 1), and gains by those
upstream that suffer too. Without a graph only the strength of departures is left: entities that merely suffer
can't be told from those that cause.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from watchkeeper.analysis.causes.departure import Departures, bad_direction, departures
from watchkeeper.analysis.causes.metrics_words import plain, reasons
from watchkeeper.analysis.causes.onset import Array, find_onset
from watchkeeper.model.reason import Reason

CLEAR = 4.0  # scales after which a departure is simply clear
FADE, HOPS = 0.7, 3  # of suffering by steps
SUFFERING = 2.0  # weight of those that suffer
EFFECT = 0.5  # power of the share of the target's excess that an entity's own makes up
FALSE = 0.05  # chance that a span like the normal ones gets a cause
OWN_ONSET = 1.5  # more is asked for when the onset was looked for, too
QUIET = 1.0  # scales up to which a series is within what is normal
SHOWN = 10

Key = tuple[str, str, str]  # entity, metric, statistic


class Blame(NamedTuple):
    """A candidate: the entity, its telling metric, its share of the evidence, why, and the series that tells."""

    entity: str
    metric: str
    score: float
    because: tuple[Reason, ...]
    series: int  # its telling series, as a place in the keys that were given


class Found(NamedTuple):
    """Where the trouble begins (row of the trouble's input; None: nowhere), and the candidates, best
    first."""

    onset: int | None
    causes: list[Blame]


def causes_of_metrics(
    keys: Sequence[Key],
    values: Array,
    *,
    at: int | None = None,
    normal: Array | None = None,
    edges: Sequence[tuple[str, str]] = (),
    target: Key | None = None,
    named: Callable[[str], str] = str,
    shown: Callable[[Key, float], str] = plain,
) -> Found:
    """Rank entities.

    >>> usual = np.abs(np.random.default_rng(1).normal(10, 1, (2, 90)))
    >>> usual[:, 60:] += [[30.0], [25.0]]
    >>> keys = [("db", "latency", "mean"), ("shop", "latency", "mean")]
    >>> found = causes_of_metrics(keys, usual, edges=[("shop", "db")])
    >>> found.onset, found.causes[0].entity
    (60, 'db')

    `values` and `normal`: series × rows in the order of `keys`; `at`: row from which on is trouble, which may be
    late; `edges`: (who needs, what is needed); `target`: the series that is in trouble, which leaves only series of
    its metric; `named`: what people call an entity; `shown`: a value of a series in words. Without `normal`, the
    rows before the onset are normal."""
    chosen = [i for i, k in enumerate(keys) if target is None or k[1] == target[1]]
    if not chosen:
        return Found(None, [])
    kept, values = [keys[i] for i in chosen], values[chosen]
    looked_for = at is None
    if normal is not None:
        onset, before = at or 0, normal[chosen]
    else:
        found = _onset(values, at)
        if found is None:
            return Found(None, [])
        onset, before = found, values[:, :found]
    directions = np.array([bad_direction(k[1]) for k in kept], float)
    d = departures(before, values[:, onset:], directions)
    table = Table(kept, d, edges, target)
    scores = table.scores()
    if not _stands_out(scores, looked_for):
        return Found(None if looked_for else onset, [])
    place = dict(zip(kept, chosen, strict=True))
    return Found(onset, [
        Blame(table.entities[i], table.kinds[kind][0], share, reasons(table, i, kind, named, shown),
              place[table.entities[i], *table.kinds[kind]])
        for i, kind, share in table.best(scores[:, 0])
    ])  # fmt: skip


def _stands_out(scores: Array, looked_for: bool) -> bool:
    """Whether the best score is one that normal spans reach less often than FALSE of the time. Their scores were
    made by what was learned from others of them, so that the next normal span is like one of these."""
    usual = np.sort(scores[:, 1:].max(axis=0)) if scores.shape[1] > 1 else np.zeros(0)
    rank = math.ceil((1.0 - FALSE) * (len(usual) + 1)) - 1
    calm = float(usual[min(rank, len(usual) - 1)]) if len(usual) else 0.0
    top = float(scores[:, 0].max())
    return top > 0 and top > calm * (OWN_ONSET if looked_for else 1.0)


def _onset(values: Array, at: int | None) -> int | None:
    """The onset near `at`, which may be late by as much as there is trouble after it; anywhere without
    `at`."""
    if at is None:
        return find_onset(values)
    earliest = max(1, 2 * at - values.shape[1])
    return find_onset(values, at, earliest) or at


class Table:
    """Departures arranged as entities × (metric, statistic) × spans."""

    def __init__(
        self, keys: Sequence[Key], d: Departures, edges: Sequence[tuple[str, str]], target: Key | None
    ) -> None:
        self.entities = sorted({k[0] for k in keys})
        self.kinds = sorted({k[1:] for k in keys})
        self._row = {e: i for i, e in enumerate(self.entities)}
        column = {k: i for i, k in enumerate(self.kinds)}
        shape = (len(self.entities), len(self.kinds), d.excess.shape[1])
        self.excess, self.z = np.zeros(shape), np.zeros(shape)
        self.level, self.now = np.full(shape[:2], np.nan), np.full(shape[:2], np.nan)
        cells = np.array([self._row[k[0]] for k in keys]), np.array([column[k[1:]] for k in keys])
        self.excess[cells], self.z[cells] = np.maximum(d.excess, 0.0), d.z
        self.level[cells], self.now[cells] = d.level, d.now
        self.edges = [(self._row[a], self._row[b]) for a, b in edges if a in self._row and b in self._row]
        self.target = self._row.get(target[0]) if target else None
        self._clear = 1.0 - np.exp(-self.z / CLEAR)
        self._weights = self._reach()
        self._suffering = self._weights @ self._clear.max(axis=1)

    def scores(self) -> Array:
        """Entities × spans."""
        if not self.edges:
            plain: Array = np.log1p(self.z).max(axis=1)
            return plain
        own = self._own().max(axis=1)
        scores: Array = own * (1.0 + SUFFERING * np.log1p(self._suffering))
        return scores

    def _own(self) -> Array:
        """Clear departures that nothing needed explains, as far as they are of the size of the target's."""
        dragged = np.zeros_like(self.excess)
        for needs, needed in self.edges:
            np.maximum(dragged[needs], self.excess[needed], out=dragged[needs])
        residual = 1.0 - np.minimum(dragged, self.excess) / np.maximum(self.excess, 1e-300)
        own: Array = self._clear * residual
        if self.target is not None:
            size = self.excess[self.target]
            share = (np.minimum(self.excess, size) / np.maximum(size, 1e-300)) ** EFFECT
            own = own * np.where(self.z[self.target] > 1.0, share, 1.0)
        return own

    def _reach(self) -> Array:
        """Weight with which suffering of one entity speaks against another that it needs, entities ×
        entities."""
        step = np.zeros((len(self.entities),) * 2)
        for needs, needed in self.edges:
            step[needed, needs] = 1.0
        np.fill_diagonal(step, 0.0)
        reach, ring = np.zeros_like(step), step
        for hop in range(HOPS):
            new = (ring > 0) & (reach == 0)
            np.fill_diagonal(new, False)
            reach[new] = FADE**hop
            ring = ((ring > 0).astype(float) @ step > 0).astype(float)
        return reach

    def best(self, scores: Array) -> list[tuple[int, int, float]]:
        """At most SHOWN candidates, best first: entity, its telling (metric, statistic), share of all evidence."""
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], self.entities[i]))[:SHOWN]
        loud = self.z[:, :, 0].max(axis=1)
        chosen = [i for i in order if scores[i] > 0 and loud[i] > QUIET]
        whole = sum(float(scores[i]) for i in chosen)
        telling = self._own()[:, :, 0] if self.edges else self.z[:, :, 0]
        return [(i, int(telling[i].argmax()), round(float(scores[i]) / whole, 4)) for i in chosen]

    def explained(self, i: int) -> tuple[list[int], list[int]]:
        """Of the other entities that clearly left their normal range: those that need this one, over some steps,
        and those that don't."""
        loud = [int(j) for j in np.flatnonzero(self.z[:, :, 0].max(axis=1) > 1.0) if j != i]
        return [j for j in loud if self._weights[i, j] > 0], [j for j in loud if self._weights[i, j] == 0]


def edges_of(relations: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """(who needs, what is needed) of relations: source, target, and the relation's name.

    >>> edges_of([("host", "disk", "contains"), ("shop", "db", "depends_on"), ("a", "b", "likes")])
    [('disk', 'host'), ('shop', 'db')]
    """
    out = []
    for source, target, relation in relations:
        if relation in ("depends_on", "runs_on"):
            out.append((source, target))
        elif relation in ("member_of", "contains"):
            out.append((target, source))
    return out
