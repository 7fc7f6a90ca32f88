"""Selectors as SQL: which series match, and their samples, as the store has them.

The store finds, orders and, where only the newest sample of a step counts, thins them; whole numbers of rows and
seconds are bounded by `Limits`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.model.signals import STALE
from watchkeeper.telemetry.promql.beside import Beside
from watchkeeper.telemetry.promql.errors import BadQuery, TooSlow, Unanswerable
from watchkeeper.telemetry.promql.values import NAME, Flags, Floats, Labels, Samples, Whole, key
from watchkeeper.telemetry.queries.series import Matcher, series_where
from watchkeeper.telemetry.store import Store, TelemetryRefused, TelemetryTimeout

_FROM, _TO = (f"fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')" for name in ("from_ms", "to_ms"))
_BETWEEN = f"time >= {_FROM} AND time <= {_TO}"
_LATEST_MS = 4_102_444_800_000  # the year 2100; beyond it DateTime64 knows no date
_AT = "toUnixTimestamp64Milli(time)"
# A step's newest sample is enough where no more is asked for than the newest sample at each step.
_STEP = f"greatest(0, intDiv({_AT} - {{first:Int64}} + {{step:Int64}} - 1, {{step:Int64}}))"


def _all(where: str) -> str:
    return f"SELECT series, {_AT} AS at, value {_chosen(where)} ORDER BY series, time LIMIT {{most:UInt64}}"


def _newest(where: str) -> str:
    return (
        f"SELECT series, toUnixTimestamp64Milli(max(time)) AS at, argMax(value, time) AS value {_chosen(where)} "
        f"GROUP BY series, {_STEP} AS bucket ORDER BY series, bucket LIMIT {{most:UInt64}}"
    )


def _chosen(where: str) -> str:
    return f"FROM samples WHERE series IN (SELECT s.id FROM series AS s WHERE {where}) AND {_BETWEEN}"


@dataclass(frozen=True)
class Limits:
    """What one query may take: seconds, series of one selector, samples of one selector, samples in all windows of one
    function (overlapping ones count again), and values [series × steps] of one result on the way."""

    seconds: float = 30.0
    series: int = 10_000
    samples: int = 5_000_000
    windowed: int = 2_000_000_000
    cells: int = 5_000_000


class Reader:
    """Reads for one query; `begun` is the time.monotonic() from which its seconds count. `beside`: what is read along with
    the store."""

    def __init__(self, store: Store, limits: Limits, begun: float, beside: Beside | None = None) -> None:
        self._store, self.limits, self._begun, self._beside = store, limits, begun, beside
        self._found: dict[tuple[Matcher, ...], tuple[list[int], list[Labels]]] = {}

    def left(self) -> float:
        """Seconds that are left. Raises TooSlow when there are none."""
        left = self.limits.seconds - (time.monotonic() - self._begun)
        if left <= 0:
            raise TooSlow(f"the query took longer than {self.limits.seconds:g} s")
        return left

    def bounded(self, series: int, steps: int) -> None:
        """Raises Unanswerable for a result of more values than a query may have, TooSlow when time is up."""
        self.left()
        if series * steps > self.limits.cells:
            raise Unanswerable(
                f"{series} series at {steps} steps are more than the {self.limits.cells:,} values a query may have; "
                "take fewer series, a shorter time or longer steps"
            )

    def windowed(self, samples: int) -> None:
        """Raises Unanswerable when windows have more samples together than a function may look at."""
        if samples > self.limits.windowed:
            raise Unanswerable(
                f"the windows have {samples:,} samples together, more than {self.limits.windowed:,}; take a shorter range "
                "or longer steps"
            )

    def samples(self, matchers: tuple[Matcher, ...], from_ms: int, to_ms: int) -> Samples:
        """All samples of the series that match, from and to included, without marks of staleness."""
        found = self._read(_all, matchers, {"from_ms": from_ms, "to_ms": to_ms}, {})
        return _some(found, ~stale(found.values))

    def newest(self, matchers: tuple[Matcher, ...], ends: Whole, lookback_ms: int) -> Samples:
        """Those samples of the series that match which are a step's newest, with marks of staleness. `ends` are evenly
        spaced, or all the same."""
        step = int(ends[1] - ends[0]) if len(ends) > 1 else 0
        window = {"from_ms": int(ends[0]) - lookback_ms, "to_ms": int(ends[-1])}
        return self._read(_newest, matchers, window, {"first": int(ends[0]), "step": step or 1 << 40})

    def _read(
        self,
        sql: Callable[[str], str],
        matchers: tuple[Matcher, ...],
        window: dict[str, int],
        steps: dict[str, int],
    ) -> Samples:
        found = self._stored(sql, matchers, window, steps)
        if self._beside is None:
            return found
        return self._beside.among(found, matchers, window["from_ms"], window["to_ms"])

    def _stored(
        self,
        sql: Callable[[str], str],
        matchers: tuple[Matcher, ...],
        window: dict[str, int],
        steps: dict[str, int],
    ) -> Samples:
        """The samples between `from_ms` and `to_ms` of the window; `steps` are further parameters of the statement."""
        ids, labels = self._series(matchers)
        if not ids:
            return Samples([], np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
        where, parameters = series_where(matchers)
        most = self.limits.samples
        parameters |= {name: min(max(ms, 0), _LATEST_MS) for name, ms in window.items()}
        try:
            table = self._store.query(
                sql(where), {**parameters, **steps, "most": most + 1}, limit_seconds=self.left()
            )
        except TelemetryTimeout as error:
            raise TooSlow(f"the query took longer than {self.limits.seconds:g} s") from error
        if table.num_rows > most:
            raise Unanswerable(
                f"the query reads more than {most:,} samples; take fewer series or a shorter time"
            )
        columns = [table.column(name).to_numpy() for name in ("series", "at", "value")]
        return _by_series(ids, labels, columns[0], columns[1].astype(np.int64), columns[2])

    def _series(self, matchers: tuple[Matcher, ...]) -> tuple[list[int], list[Labels]]:
        if matchers not in self._found:
            found = series(self._store, [matchers], self.limits.series, self.left())
            self._found[matchers] = [i for i, _ in found], [labels for _, labels in found]
        return self._found[matchers]


def series(
    store: Store, any_of: Sequence[tuple[Matcher, ...]], most: int, seconds: float,
    window: tuple[int, int] | None = None,
) -> list[tuple[int, Labels]]:  # fmt: skip
    """Ids and labels of the series that match all of one of `any_of`, by their ids; with a window in Unix ms, those that
    may have samples in it. Raises Unanswerable when there are more than `most`, BadQuery, TooSlow."""
    where, parameters = series_where(*any_of)
    if window is not None:
        where = f"({where}) AND s.id IN (SELECT DISTINCT series {_chosen(where)})"
        parameters |= {"from_ms": window[0], "to_ms": window[1]}
    try:
        found = store.rows(
            f"SELECT s.id AS id, s.name AS name, anyLast(s.labels) AS labels FROM series AS s WHERE {where} "
            "GROUP BY s.name, s.id ORDER BY s.id LIMIT {most:UInt64}",
            {**parameters, "most": most + 1}, limit_seconds=seconds,
        )  # fmt: skip
    except TelemetryTimeout as error:
        raise TooSlow(f"the query took longer than {seconds:g} s") from error
    except TelemetryRefused as error:
        raise BadQuery(f"a regular expression that cannot be used: {error.detail}") from error
    if len(found) > most:
        raise Unanswerable(f"a selector matches more than {most:,} series; narrow it by labels")
    return [(row["id"], {NAME: row["name"], **row["labels"]}) for row in found]


def stale(values: Floats) -> Flags:
    """Which of these are marks that a series ended."""
    out: Flags = values.view(np.uint64) == STALE
    return out


def _by_series(ids: list[int], labels: list[Labels], of: Whole, times: Whole, values: Floats) -> Samples:
    """Samples of series in order of their labels; what was sent twice for a time counts once. `of` and `ids` rise."""
    if len(of) > 1:
        kept = np.append((of[1:] != of[:-1]) | (times[1:] != times[:-1]), True)
        if not kept.all():
            of, times, values = of[kept], times[kept], values[kept]
    every = np.array(ids, dtype=np.uint64)
    low, high = np.searchsorted(of, every, "left"), np.searchsorted(of, every, "right")
    order = [i for i in sorted(range(len(ids)), key=lambda i: key(labels[i])) if high[i] > low[i]]
    counts = (high - low)[order]
    starts = np.concatenate(([0], np.cumsum(counts)))
    at = np.arange(int(starts[-1])) + np.repeat(low[order] - starts[:-1], counts)
    return Samples([labels[i] for i in order], starts, times[at], values[at])


def _some(samples: Samples, kept: Flags) -> Samples:
    if kept.all():
        return samples
    before = np.concatenate(([0], np.cumsum(kept)))
    return Samples(samples.labels, before[samples.starts], samples.times[kept], samples.values[kept])
