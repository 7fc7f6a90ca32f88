"""An expression at all steps at once: every part becomes a value over the steps, from the selectors upward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from watchkeeper.telemetry.promql import over_time, rates
from watchkeeper.telemetry.promql.aggregating import aggregate
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.functions import FUNCTIONS, absent
from watchkeeper.telemetry.promql.operators import combine
from watchkeeper.telemetry.promql.rates import Found
from watchkeeper.telemetry.promql.selecting import Reader, stale
from watchkeeper.telemetry.promql.syntax import (
    Aggregation,
    At,
    Binary,
    Call,
    Expression,
    Negation,
    Number,
    Range,
    Selector,
    String,
    Subquery,
)
from watchkeeper.telemetry.promql.values import Samples, Scalar, Text, Value, Vector, Whole
from watchkeeper.telemetry.promql.windows import Windows, windows

V = TypeVar("V", bound=Value)
LOOKBACK_MS = 300_000  # how old a sample may be and still count
SUBQUERY_STEP_MS = 60_000  # of a subquery that says none
OVER_TIME: dict[str, Callable[[Windows], Found]] = {
    "rate": rates.rate, "increase": rates.increase, "delta": rates.delta, "irate": rates.irate,
    "idelta": rates.idelta, "changes": rates.changes, "resets": rates.resets, "deriv": rates.deriv,
    "sum_over_time": over_time.sum_, "avg_over_time": over_time.avg, "min_over_time": over_time.min_,
    "max_over_time": over_time.max_, "count_over_time": over_time.count, "last_over_time": over_time.last,
    "present_over_time": over_time.present, "stdvar_over_time": over_time.stdvar,
    "stddev_over_time": over_time.stddev,
}  # fmt: skip
_OF_EXPRESSIONS = frozenset((
    "predict_linear", "quantile_over_time", "absent_over_time", "absent", "timestamp", "time",
))  # fmt: skip
KNOWN = frozenset((*OVER_TIME, *FUNCTIONS, *_OF_EXPRESSIONS))


@dataclass(frozen=True)
class Evaluation:
    """One query: where it reads, and its start and end in Unix ms, which @ start() and @ end() mean."""

    reader: Reader
    start_ms: int
    end_ms: int

    def value(self, node: Expression, times: Whole) -> Value:
        """What it is at these times, Unix ms, evenly spaced. Raises QueryError and TelemetryError."""
        match node:
            case Number(value):
                return Scalar(np.full(len(times), value))
            case String(value):
                return Text(value)
            case Selector():
                return self._newest(node, times)[0]
            case Negation(of):
                return _negative(self.value(of, times))
            case Binary(_, left, right):
                return self._bounded(
                    combine(node, self.value(left, times), self.value(right, times), self.reader.bounded)
                )
            case Aggregation():
                return self._aggregation(node, times)
            case Call():
                return self._call(node, times)
        raise BadQuery("a range of samples is good only as what a function such as rate() is of")

    def samples(self, node: Range | Subquery, ends: Whole) -> Samples:
        """The samples of windows that end at these times."""
        low, high = int(ends.min()) - node.range_ms, int(ends.max())
        if isinstance(node, Range):
            return self.reader.samples(node.of.matchers, low, high)
        step = node.step_ms or SUBQUERY_STEP_MS
        self.reader.bounded(1, (high - low) // step)
        times = np.arange(-(-low // step) * step, high + 1, step, dtype=np.int64)
        if not len(times):
            return Samples([], np.zeros(1, np.int64), times, np.zeros(0))
        inner = self.value(node.of, times)
        if isinstance(inner, Scalar):
            inner = Vector([{}], inner.values[None, :], np.ones((1, len(times)), dtype=bool))
        if not isinstance(inner, Vector):
            raise BadQuery("subquery is only allowed on instant vector")
        starts = np.concatenate(([0], np.cumsum(inner.present.sum(axis=1))))
        each = np.broadcast_to(times, inner.present.shape)
        return Samples(inner.labels, starts, each[inner.present], inner.values[inner.present])

    def ends(self, node: Range | Subquery | Selector, times: Whole) -> Whole:
        """Where the windows end, of what is asked for at these times."""
        of = node.of if isinstance(node, Range) else node
        return self._from(of.at, times) - of.offset_ms

    def _from(self, at: At, times: Whole) -> Whole:
        if at is None:
            return times
        fixed = {"start": self.start_ms, "end": self.end_ms}.get(at) if isinstance(at, str) else at
        return np.full(len(times), fixed, dtype=np.int64)

    def _newest(self, node: Selector, times: Whole) -> tuple[Vector, Whole]:
        """The newest sample at each time, and when it was taken, in ms."""
        ends = self.ends(node, times)
        found = self.reader.newest(node.matchers, ends, LOOKBACK_MS)
        self.reader.bounded(len(found.labels), len(times))
        w = windows(found, times, ends, LOOKBACK_MS)
        present = w.count > 0
        values = w.last(found.values)
        if (ended := stale(found.values)).any():
            present &= w.last(ended.astype(np.int64)) == 0
        return Vector(found.labels, values, present), w.last(found.times).astype(np.int64)

    def _windows(self, node: Expression, times: Whole) -> Windows:
        if not isinstance(node, Range | Subquery):
            raise BadQuery("a range of samples, such as x[5m], is needed here")
        ends = self.ends(node, times)
        found = self.samples(node, ends)
        self.reader.bounded(len(found.labels), len(times))
        w = windows(found, times, ends, node.range_ms, self.reader.left)
        self.reader.windowed(int(w.count.sum()))
        return w

    def _aggregation(self, node: Aggregation, times: Whole) -> Vector:
        of = self.value(node.of, times)
        if not isinstance(of, Vector):
            raise BadQuery(f"the aggregation {node.operator} is of series")
        parameter = self.value(node.parameter, times) if node.parameter is not None else None
        return self._bounded(aggregate(node, of, parameter, self.reader.bounded))

    def _call(self, node: Call, times: Whole) -> Value:
        name, arguments = node.name, node.arguments
        if name in OVER_TIME:
            w = self._windows(arguments[0], times)
            return _over(w, OVER_TIME[name](w), named=name == "last_over_time")
        match name, arguments:
            case "time", ():
                return Scalar(times / 1000)
            case "timestamp", (Selector() as selector,):
                of, taken = self._newest(selector, times)
                return replace(of, values=taken / 1000).seen().nameless()
            case "timestamp", (other,):
                return _timestamps(self.value(other, times), times)
            case "absent", (of,):
                return absent(of, self.value(of, times), len(times))
            case "absent_over_time", (of,):
                return absent(of, _over(w := self._windows(of, times), over_time.present(w)), len(times))
            case "predict_linear", (of, ahead):
                w = self._windows(of, times)
                return _over(w, rates.predict_linear(w, self._number(ahead, times)))
            case "quantile_over_time", (share, of):
                w = self._windows(of, times)
                return _over(w, over_time.quantile(self._number(share, times), w))
        return self._bounded(FUNCTIONS[name]([self.value(one, times) for one in arguments], times))

    def _number(self, node: Expression, times: Whole) -> Scalar:
        found = self.value(node, times)
        if not isinstance(found, Scalar):
            raise BadQuery("a number is needed here")
        return found

    def _bounded(self, value: V) -> V:
        if isinstance(value, Vector):
            self.reader.bounded(*value.values.shape)
        return value


def _over(w: Windows, found: Found, *, named: bool = False) -> Vector:
    out = Vector(w.samples.labels, *found).seen()
    return out if named else out.nameless()


def _negative(of: Value) -> Value:
    match of:
        case Scalar(values):
            return Scalar(-values)
        case Vector():
            return replace(of, values=-of.values).nameless()
    raise BadQuery("a minus stands before numbers and series only")


def _timestamps(of: Value, times: Whole) -> Value:
    if not isinstance(of, Vector):
        raise BadQuery("timestamp() is of series")
    return replace(of, values=np.broadcast_to(times / 1000, of.values.shape)).nameless()
