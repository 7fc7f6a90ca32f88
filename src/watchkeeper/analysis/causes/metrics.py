"""Causes from metrics alone: which entity's series left their normal range, were not merely dragged along by
what they need, and are needed by others that suffer. What scores no more than normal times do has no cause.

With a graph a departure counts as far as no item that is needed departs as much in the same metric (a
regression residual in the sense of CIRCA, Li et al. 2022, with the coefficient bounded by 1), and gains by those
upstream that suffer too. Without a graph only the strength of departures is left: entities that merely suffer
can't be told from those that cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from watchkeeper.analysis.causes.departure import Departures, bad_direction, departures
from watchkeeper.analysis.causes.onset import Array, find_onset

CLEAR = 4.0  # scales after which a departure is simply clear
FADE, HOPS = 0.7, 3  # of suffering by steps
SUFFERING = 2.0  # weight of those that suffer
EFFECT = 0.5  # power of the share of the target's excess that an entity's own makes up
CALM = 0.95  # share of normal times that score less than what needs a cause
OWN_ONSET = 1.5  # more is asked for when the onset was looked for, too
SHOWN = 10

Key = tuple[str, str, str]  # entity, metric, statistic


class Blame(NamedTuple):
    """A candidate: the entity, its telling metric, its share of the evidence, and why."""

    entity: str
    metric: str
    score: float
    because: tuple[str, ...]


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
) -> Found:
    """Rank entities. `values` and `normal`: series × rows in the order of `keys`; `at`: row from which on is
    trouble, which may be late; `edges`: (who needs, what is needed); `target`: the series that is in trouble,
    which leaves only series of its metric. Without `normal`, the rows before the onset are normal."""
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
    table = _Table(kept, d, edges, target)
    scores = table.scores()
    calm = float(np.quantile(scores[:, 1:].max(axis=0), CALM)) if scores.shape[1] > 1 else 0.0
    top = float(scores[:, 0].max())
    if top <= calm * (OWN_ONSET if looked_for else 1.0) or top <= 0:
        return Found(None if looked_for else onset, [])
    return Found(onset, table.blame(scores[:, 0]))


def _onset(values: Array, at: int | None) -> int | None:
    """The onset near `at`, which may be late by as much as there is trouble after it; anywhere without
    `at`."""
    if at is None:
        return find_onset(values)
    earliest = max(1, 2 * at - values.shape[1])
    return find_onset(values, at, earliest) or at


class _Table:
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
        self._suffering = self._reach() @ self._clear.max(axis=1)

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
        residual = np.clip(1.0 - dragged / np.maximum(self.excess, 1e-300), 0.0, 1.0)
        own: Array = self._clear * residual
        if self.target is not None:
            size = self.excess[self.target]
            share = np.minimum(1.0, self.excess / np.maximum(size, 1e-300)) ** EFFECT
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

    def blame(self, scores: Array) -> list[Blame]:
        """The best candidates with their reasons."""
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], self.entities[i]))[:SHOWN]
        best = [i for i in order if scores[i] > 0]
        whole = sum(float(scores[i]) for i in best)
        telling = self._own()[:, :, 0] if self.edges else self.z[:, :, 0]
        made = []
        for i in best:
            kind = int(telling[i].argmax())
            why = tuple(self._why(i, kind))
            made.append(Blame(self.entities[i], self.kinds[kind][0], round(float(scores[i]) / whole, 4), why))
        return made

    def _why(self, i: int, kind: int) -> list[str]:
        name, (metric, statistic) = self.entities[i], self.kinds[kind]
        z = self.z[i, kind, 0]
        said = [
            f"{metric} ({statistic}) of {name} went from {self.level[i, kind]:.4g} to "
            f"{self.now[i, kind]:.4g}, {z:.1f} times as far as it usually wanders."
        ]
        suffering = [
            self.entities[a] for a, b in self.edges if b == i and self.z[a, :, 0].max() > 1.0 and a != i
        ]
        if suffering:
            verb = "needs" if len(suffering) == 1 else "need"
            also = "suffers" if len(suffering) == 1 else "suffer"
            said.append(f"{', '.join(sorted(suffering)[:3])} {verb} {name} and {also} too.")
        if self.edges:
            dragging = [self.entities[b] for a, b in self.edges if a == i and self.z[b, kind, 0] > 1.0]
            if not dragging:
                said.append(f"Nothing that {name} needs left its normal range in {metric}.")
        return said


def edges_of(relations: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """(who needs, what is needed) of relations with source, target and relation.

    >>> edges_of([{"source": "host", "target": "disk", "relation": "contains"}])
    [('disk', 'host')]
    """
    out = []
    for r in relations:
        pair = (r["source"], r["target"])
        if r["relation"] in ("depends_on", "runs_on"):
            out.append(pair)
        elif r["relation"] in ("member_of", "contains"):
            out.append(pair[::-1])
    return out
