"""The two questions: an expression at one time, and at many. Text in, values out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.beside import Beside
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.evaluating import KNOWN, Evaluation
from watchkeeper.telemetry.promql.parsing import parse
from watchkeeper.telemetry.promql.selecting import Limits, Reader, series, stale
from watchkeeper.telemetry.promql.syntax import (
    Aggregation,
    Call,
    Expression,
    Range,
    String,
    Subquery,
)
from watchkeeper.telemetry.promql.values import Labels, Scalar, Value, Vector, Whole, key
from watchkeeper.telemetry.queries.series import Matcher
from watchkeeper.telemetry.store import Store

MAX_STEPS = 11_000
_NO_LIMITS = Limits()
_RANKED = ("sort", "sort_desc")


@dataclass(frozen=True)
class Line:
    """A series of a range query: times in Unix ms, and a value for each."""

    labels: Labels
    times_ms: Sequence[int]
    values: Sequence[float]


def query(
    store: Store, text: str, at_ms: int, *, limits: Limits = _NO_LIMITS, beside: Beside | None = None
) -> Value:
    """The expression at one time (Unix ms): one step of numbers or series, samples of `x[5m]`, or text. Series are in
    order of their labels, unless the expression sorts them. `beside`: samples that are read along with the store's.
    Raises QueryError and TelemetryError."""
    node = parse(text, KNOWN, AGGREGATIONS)
    evaluation = Evaluation(Reader(store, limits, time.monotonic(), beside), at_ms, at_ms)
    times = np.array([at_ms], dtype=np.int64)
    with np.errstate(all="ignore"):
        if isinstance(node, Range | Subquery):
            return evaluation.samples(node, evaluation.ends(node, times))
        found = evaluation.value(node, times)
    if not isinstance(found, Vector):
        return found
    found = found.seen().merged()
    return found if _is_ranked(node) else _in_order(found)


def query_range(
    store: Store, text: str, start_ms: int, end_ms: int, step_ms: int, *, limits: Limits = _NO_LIMITS
) -> list[Line]:
    """The expression at every step from start to end, both included (Unix ms): series in order of their labels, each with
    the steps at which it has a value. Raises QueryError and TelemetryError."""
    times = steps(start_ms, end_ms, step_ms)
    node = parse(text, KNOWN, AGGREGATIONS)
    if isinstance(node, Range | Subquery | String):
        kind = "string" if isinstance(node, String) else "range vector"
        raise BadQuery(f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector')
    evaluation = Evaluation(Reader(store, limits, time.monotonic()), start_ms, int(end_ms))
    with np.errstate(all="ignore"):
        found = evaluation.value(node, times)
    if isinstance(found, Scalar):
        found = Vector([{}], found.values[None, :], np.ones((1, len(times)), dtype=bool))
    assert isinstance(found, Vector), "texts and samples are refused above"
    return _lines(_in_order(found.seen().merged()), times)


def newest(
    store: Store, matchers: tuple[Matcher, ...], at_ms: int, lookback_ms: int, *, limits: Limits = _NO_LIMITS
) -> list[tuple[Labels, int, float]]:
    """Labels, time (Unix ms) and value of the newest sample of each series that matches and has not ended, from the time
    before `at_ms` that is looked back. Raises QueryError and TelemetryError."""
    reader = Reader(store, limits, time.monotonic())
    found = reader.newest(matchers, np.array([at_ms], dtype=np.int64), lookback_ms)
    ended = stale(found.values)
    return [
        (labels, int(found.times[last]), float(found.values[last]))
        for labels, last in zip(found.labels, (found.starts[1:] - 1).tolist(), strict=True)
        if not ended[last]
    ]


def label_sets(
    store: Store,
    any_of: Sequence[tuple[Matcher, ...]],
    window: tuple[int, int] | None = None,
    *,
    limits: Limits = _NO_LIMITS,
) -> list[dict[str, str]]:
    """The label sets that all matchers of one of these hold for, in order, `__name__` among the labels; with a window
    (Unix ms) only of series with samples in it. Raises QueryError and TelemetryError."""
    found = series(store, any_of, limits.series, limits.seconds, window)
    return [dict(labels) for _, labels in sorted(found, key=lambda one: key(one[1]))]


def steps(start_ms: int, end_ms: int, step_ms: int) -> Whole:
    """The times from start to end. Raises BadQuery when they are none, or more than MAX_STEPS."""
    if step_ms <= 0:
        raise BadQuery(
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
    if end_ms < start_ms:
        raise BadQuery("end timestamp must not be before start time")
    if (end_ms - start_ms) // step_ms > MAX_STEPS:
        raise BadQuery(
            f"exceeded maximum resolution of {MAX_STEPS:,} points per timeseries. Try decreasing the query resolution "
            "(?step=XX)"
        )
    return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)


def _in_order(of: Vector) -> Vector:
    return of.take(sorted(range(len(of.labels)), key=lambda i: key(of.labels[i])))


def _is_ranked(node: Expression) -> bool:
    """Whether the order of the series is what was asked for."""
    if isinstance(node, Call):
        return node.name in _RANKED
    return isinstance(node, Aggregation) and node.operator in ("topk", "bottomk")


def _lines(of: Vector, times: Whole) -> list[Line]:
    every = times.tolist()
    out = []
    for labels, values, present in zip(of.labels, of.values, of.present, strict=True):
        if present.all():
            out.append(Line(labels, every, values.tolist()))
        else:
            out.append(Line(labels, times[present].tolist(), values[present].tolist()))
    return out
