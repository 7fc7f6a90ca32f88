"""Many series as one of each group, at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from watchkeeper.telemetry.promql.errors import BadQuery, Unanswerable
from watchkeeper.telemetry.promql.numbers import written
from watchkeeper.telemetry.promql.quantiles import of_ranks
from watchkeeper.telemetry.promql.relabelling import require_label
from watchkeeper.telemetry.promql.syntax import Aggregation
from watchkeeper.telemetry.promql.values import (
    NAME,
    Bounded,
    Flags,
    Floats,
    Key,
    Labels,
    Scalar,
    Text,
    Value,
    Vector,
    Whole,
    key,
    only,
    without,
)


@dataclass(frozen=True)
class Groups:
    """The rows of `of` with those of a group one after the other, and where each group begins."""

    of: Vector
    labels: list[Labels]
    starts: Whole

    def reduce(self, ufunc: np.ufunc, values: Floats | Flags | Whole) -> Floats:
        """`ufunc` over each group: [groups, steps]."""
        out: Floats = ufunc.reduceat(values, self.starts, axis=0)
        return out

    @property
    def count(self) -> Floats:
        """How many series of each group have a value."""
        return self.reduce(np.add, self.of.present.astype(np.float64))

    @property
    def sum(self) -> Floats:
        """The sum of each group."""
        return self.reduce(np.add, np.where(self.of.present, self.of.values, 0.0))

    def each(self, of: Floats) -> Floats:
        """What is given by group, for every row of it."""
        sizes = np.diff(np.append(self.starts, len(self.of.labels)))
        out: Floats = np.repeat(of, sizes, axis=0)
        return out

    def slices(self) -> list[slice]:
        """The rows of each group."""
        stops = [*self.starts.tolist()[1:], len(self.of.labels)]
        return [slice(a, b) for a, b in zip(self.starts.tolist(), stops, strict=True)]


def aggregate(node: Aggregation, of: Vector, parameter: Value | None, bounded: Bounded) -> Vector:
    """The groups' series. Raises BadQuery for a parameter that is of no use."""
    if not len(of.labels):
        return of
    groups = _groups(node, of)
    if node.operator in _SIMPLE:
        return Vector(groups.labels, _SIMPLE[node.operator](groups), groups.count > 0)
    if node.operator == "count_values":
        return _count_values(groups, parameter, bounded)
    if not isinstance(parameter, Scalar):
        raise BadQuery(f"{node.operator} needs a number as its parameter")
    if node.operator == "quantile":
        return _quantile(groups, parameter)
    return _ranked(groups, parameter, largest=node.operator == "topk")


def _groups(node: Aggregation, of: Vector) -> Groups:
    rows: dict[Key, list[int]] = {}
    labels: list[Labels] = []
    for i, one in enumerate(of.labels):
        kept = without(one, (*node.labels, NAME)) if node.without else only(one, node.labels)
        same = rows.setdefault(key(kept), [])
        if not same:
            labels.append(kept)
        same.append(i)
    sizes = [len(same) for same in rows.values()]
    order = [i for same in rows.values() for i in same]
    return Groups(of.take(order), labels, np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64))


def _least(g: Groups) -> Floats:
    return g.reduce(np.fmin, np.where(g.of.present, g.of.values, np.nan))


def _greatest(g: Groups) -> Floats:
    return g.reduce(np.fmax, np.where(g.of.present, g.of.values, np.nan))


def _variance(g: Groups) -> Floats:
    apart = np.where(g.of.present, g.of.values - g.each(g.sum / g.count), 0.0)
    return g.reduce(np.add, apart * apart) / g.count


_SIMPLE: dict[str, Callable[[Groups], Floats]] = {
    "sum": lambda g: g.sum,
    "avg": lambda g: g.sum / g.count,
    "count": lambda g: g.count,
    "group": lambda g: np.ones((len(g.labels), g.of.values.shape[1])),
    "min": _least,
    "max": _greatest,
    "stdvar": _variance,
    "stddev": lambda g: np.sqrt(_variance(g)),
}
AGGREGATIONS = frozenset((*_SIMPLE, "quantile", "topk", "bottomk", "count_values"))


def _quantile(g: Groups, q: Scalar) -> Vector:
    out = []
    for rows in g.slices():
        values, present = g.of.values[rows], g.of.present[rows]
        # Values in order, NaN as the least, what is absent behind them.
        order = np.lexsort((np.where(np.isnan(values), -np.inf, values), ~present), axis=0)
        ranked = np.take_along_axis(values, order, axis=0)
        count = np.maximum(present.sum(axis=0), 1)
        out.append(of_ranks(q.values, count, partial(_placed, ranked)))
    return Vector(g.labels, np.array(out), g.count > 0)


def _placed(ranked: Floats, places: Whole) -> Floats:
    """The value at a place of each step's order."""
    out: Floats = ranked[places, np.arange(ranked.shape[1])]
    return out


def _ranked(g: Groups, k: Scalar, *, largest: bool) -> Vector:
    """The `k` largest or least series of each group at each step, as they are."""
    if not (np.abs(k.values) < 2**63).all():
        raise Unanswerable(f"{'topk' if largest else 'bottomk'} needs a whole number at every step")
    present = np.zeros_like(g.of.present)
    last: list[int] = []
    for rows in g.slices():
        values = g.of.values[rows]
        rank = -values if largest else values
        order = np.lexsort(
            (np.where(np.isnan(rank), np.inf, rank), np.isnan(rank), ~g.of.present[rows]), axis=0
        )
        places = np.argsort(order, axis=0)
        present[rows] = g.of.present[rows] & (places < np.trunc(k.values)[None, :])
        last += [rows.start + i for i in order[:, -1].tolist()]
    return Vector(g.of.labels, g.of.values, present).take(last).seen()


def _count_values(g: Groups, name: Value | None, bounded: Bounded) -> Vector:
    """How many series of each group have which value, told by a label called `name`."""
    if not isinstance(name, Text):
        raise BadQuery("count_values needs the name of a label as its parameter")
    require_label(name.value, "count_values")
    bounded(len(np.unique(g.of.values[g.of.present])), g.of.values.shape[1])
    labels: list[Labels] = []
    counts: list[Floats] = []
    for group, rows in zip(g.labels, g.slices(), strict=True):
        values, present = g.of.values[rows], g.of.present[rows]
        for value in np.unique(values[present]).tolist():
            same = (values == value) | (np.isnan(values) & np.isnan(value))
            labels.append({**group, name.value: written(value)})
            counts.append((same & present).sum(axis=0).astype(np.float64))
    found = np.array(counts).reshape(len(labels), g.of.values.shape[1])
    return Vector(labels, found, found > 0).merged()
