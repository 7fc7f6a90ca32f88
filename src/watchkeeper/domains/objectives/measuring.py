"""What telemetry says of an objective: good and all events of slots of time, from queries in PromQL. Slots begin at
multiples of their length."""

from __future__ import annotations

import numpy as np

from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.domains.objectives.rules import Array
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql import Line
from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.evaluating import KNOWN
from watchkeeper.telemetry.promql.parsing import parse
from watchkeeper.telemetry.promql.syntax import ranges
from watchkeeper.telemetry.store import Store

LIMITS = promql.Limits(seconds=20.0, series=5_000, samples=5_000_000, cells=2_000_000)
_LOOK_MS = 60_000  # a value that is to stay on one side of a limit is looked at so often
_SHARE_MS = 300_000  # a share so often, at most
_NAME = "__name__"
_Indicator = ServiceLevelObjective.Indicator
_GOOD = {"lte": np.less_equal, "lt": np.less, "gte": np.greater_equal, "gt": np.greater}


def measure(store: Store, of: ServiceLevelObjective, from_ms: int, until_ms: int) -> tuple[Array, Array]:
    """Good and all events of each slot between two times (multiples of a slot's length); NaN where nothing was
    measured. Raises QueryError and TelemetryError."""
    step = of.step_s * 1000
    number = (until_ms - from_ms) // step
    if of.indicator == _Indicator.THRESHOLD:
        return _compared(store, of, from_ms, number, step)
    if of.indicator in (_Indicator.SUCCESS, _Indicator.FAILURE):
        per = max(1, step // _SHARE_MS)
        share = _mean(_Asking(store, from_ms, number * per, step // per).mean(of.query).reshape(number, per))
        share = np.clip(share, 0, 1)
        return (share if of.indicator == _Indicator.SUCCESS else 1 - share), np.where(
            np.isfinite(share), 1.0, np.nan
        )
    some, total = (_events(store, of, text, from_ms, number) for text in (of.query, of.total_query))
    some = np.nan_to_num(some)  # a series that is not there has no events
    good = some if of.indicator == _Indicator.GOOD else total - some
    return np.where(np.isfinite(total), np.clip(good, 0, None), np.nan), total


def _events(store: Store, of: ServiceLevelObjective, text: str, from_ms: int, number: int) -> Array:
    """What a query counts in each slot. One that counts within a part of it, as increase(…[5m]) of an hour, is asked for
    each part."""
    step = of.step_s * 1000
    spans = set() if of.counter else ranges(parse(text, KNOWN, AGGREGATIONS))
    span = spans.pop() if len(spans) == 1 else step
    per = step // span if span >= _LOOK_MS and step % span == 0 else 1
    counted = _Asking(store, from_ms, number * per, step // per).sum(text, counter=of.counter)
    return _added(list(counted.reshape(number, per).T), number)


def _mean(rows: Array) -> Array:
    """Of each row, over what there is."""
    seen = np.isfinite(rows).sum(axis=1)
    added = np.nan_to_num(rows).sum(axis=1)
    return np.asarray(np.divide(added, seen, out=np.full(len(rows), np.nan), where=seen > 0))


class _Asking:
    """Questions about the same slots: the value at the end of each, or what was counted within it."""

    def __init__(self, store: Store, from_ms: int, number: int, step_ms: int) -> None:
        self._store, self._from, self._number, self._step = store, from_ms, number, step_ms

    def sum(self, text: str, *, counter: bool) -> Array:
        """Of all series."""
        lines = self._lines(text)
        rows = [self._row(line) for line in lines]
        if counter:
            rows = [
                _increases(row, single=_NAME in line.labels) for row, line in zip(rows, lines, strict=True)
            ]
            return _added(rows, self._number)
        return _added([row[1:] for row in rows], self._number)

    def mean(self, text: str) -> Array:
        """Over the series that have a value."""
        rows = [row[1:] for row in self.rows(text)]
        return _mean(np.array(rows).T) if rows else np.full(self._number, np.nan)

    def rows(self, text: str) -> list[Array]:
        """A row a series: its values at the beginning of the first slot and at the end of each."""
        return [self._row(line) for line in self._lines(text)]

    def _lines(self, text: str) -> list[Line]:
        end = self._from + self._number * self._step
        return promql.query_range(self._store, text, self._from, end, self._step, limits=LIMITS)

    def _row(self, line: Line) -> Array:
        row = np.full(self._number + 1, np.nan)
        row[(np.asarray(line.times_ms, dtype=np.int64) - self._from) // self._step] = np.asarray(line.values)
        return row


def _compared(
    store: Store, of: ServiceLevelObjective, from_ms: int, number: int, step: int
) -> tuple[Array, Array]:
    """Of each slot: how many values, a minute apart, were on the good side, and how many there were."""
    per = step // _LOOK_MS
    ask = _Asking(store, from_ms, number * per, _LOOK_MS)
    good, total = np.zeros(number * per), np.zeros(number * per)
    for row in ask.rows(of.query):
        seen = np.isfinite(row[1:])
        total += seen
        good += seen & _GOOD[of.compare](np.nan_to_num(row[1:]), of.limit)
    good, total = (x.reshape(number, per).sum(axis=1) for x in (good, total))
    return np.where(total > 0, good, np.nan), np.where(total > 0, total, np.nan)


def _increases(row: Array, *, single: bool) -> Array:
    """What a counter rose by in each slot; NaN where it was not seen. One that falls has begun anew at 0; when a sum of
    counters falls, how much of it is new is not known, and nothing is counted."""
    out = np.full(len(row) - 1, np.nan)
    seen = np.flatnonzero(np.isfinite(row))
    rises = np.diff(row[seen])
    out[seen[1:] - 1] = np.where(rises < 0, row[seen[1:]] if single else 0.0, rises)
    return out


def _added(rows: list[Array], number: int) -> Array:
    """The sum of what there is; NaN where there is nothing."""
    if not rows:
        return np.full(number, np.nan)
    every = np.array(rows)
    return np.where(np.isfinite(every).any(axis=0), np.nansum(np.nan_to_num(every), axis=0), np.nan)
