"""What an expression can be: a number at every step, series with values at every step, samples of series, or text.

Whether a series has a value at a step is told by `present`, because NaN is a value too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchkeeper.telemetry.promql.errors import Unanswerable

NAME = "__name__"
Labels = Mapping[str, str]
Key = tuple[tuple[str, str], ...]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Bounded = Callable[[int, int], None]
"""Raises when a result of so many series and steps is larger than a query may have."""


@dataclass(frozen=True)
class Text:
    """A string literal."""

    value: str


@dataclass(frozen=True)
class Scalar:
    """A number at every step: `values` [steps]."""

    values: Floats


@dataclass(frozen=True)
class Vector:
    """Series at every step: `values` and `present` are [series, steps]."""

    labels: Sequence[Labels]
    values: Floats
    present: Flags

    def take(self, rows: Sequence[int] | Whole) -> Vector:
        """Only these rows, in this order."""
        at = np.asarray(rows, dtype=np.int64)
        return Vector([self.labels[i] for i in at.tolist()], self.values[at], self.present[at])

    def seen(self) -> Vector:
        """Without series that have no value at any step."""
        some = np.flatnonzero(self.present.any(axis=1))
        return self if len(some) == len(self.labels) else self.take(some)

    def nameless(self) -> Vector:
        """Without the metric's name, as whatever changes the meaning of a value is. Raises Unanswerable when series
        are then the same."""
        return replace(self, labels=[without(one, (NAME,)) for one in self.labels]).merged()

    def merged(self) -> Vector:
        """Series with the same labels as one. Raises Unanswerable when two have a value at the same step."""
        rows: dict[Key, list[int]] = {}
        for i, one in enumerate(self.labels):
            rows.setdefault(key(one), []).append(i)
        if len(rows) == len(self.labels):
            return self
        values, present = self.values.copy(), self.present.copy()
        for first, *others in rows.values():
            for other in others:
                if (present[first] & present[other]).any():
                    raise Unanswerable("vector cannot contain metrics with the same labelset")
                values[first] = np.where(present[other], values[other], values[first])
                present[first] |= present[other]
        return Vector(self.labels, values, present).take([same[0] for same in rows.values()])


@dataclass(frozen=True)
class Samples:
    """Samples of series, one series after the other and each in order of time: those of series i are
    [starts[i], starts[i + 1]) of `times` (Unix ms) and `values`."""

    labels: Sequence[Labels]
    starts: Whole
    times: Whole
    values: Floats


Value = Text | Scalar | Vector | Samples


def key(labels: Labels) -> Key:
    """What is the same for the same labels, and sorts as Prometheus sorts label sets."""
    return tuple(sorted(labels.items()))


def only(labels: Labels, names: Iterable[str]) -> dict[str, str]:
    """The labels with these names."""
    return {name: labels[name] for name in names if name in labels}


def without(labels: Labels, names: Iterable[str]) -> dict[str, str]:
    """The labels without these names."""
    gone = frozenset(names)
    return {name: value for name, value in labels.items() if name not in gone}


def nothing(steps: int) -> Vector:
    """No series."""
    return Vector([], np.zeros((0, steps)), np.zeros((0, steps), dtype=bool))
