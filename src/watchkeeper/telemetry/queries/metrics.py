"""Metrics as a chart wants them: names, series of a name, and one line of points for each, counters as rates.
Everything else about series is in series.py and points.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchkeeper.telemetry.queries import points as questions
from watchkeeper.telemetry.queries.series import Matcher, Series, Wanted, by_id, described
from watchkeeper.telemetry.queries.window import LIMIT, Window
from watchkeeper.telemetry.store import Store

__all__ = ["Name", "Series", "by_ids", "find", "names", "points"]


@dataclass(frozen=True)
class Name:
    """A metric name, how many series carry it, and what one of them is told to be: kind and unit."""

    name: str
    series: int
    kind: str
    unit: str


def names(store: Store, words: str = "", *, limit: int = 100) -> list[Name]:
    """Names that contain every word, in their order. Raises TelemetryError."""
    parts = words.lower().split()[:8]
    where = " AND ".join(f"position(lower(name), {{w{i}:String}}) > 0" for i in range(len(parts))) or "1"
    values: dict[str, object] = {f"w{i}": w for i, w in enumerate(parts)} | {"limit": limit}
    sql = f"""SELECT name, uniqExact(id) AS series, any(kind) AS kind, any(unit) AS unit FROM series WHERE {where}
              GROUP BY name ORDER BY name LIMIT {{limit:UInt32}}"""
    return [Name(**r) for r in store.rows(sql, values, limit_seconds=LIMIT)]


def find(store: Store, name: str, labels: Mapping[str, str], limit: int = 100) -> list[Series]:
    """Series of this name that carry all these labels. Raises TelemetryError."""
    wanted = Wanted(name=name, matchers=tuple(Matcher(k, v) for k, v in labels.items()))
    return described(store, wanted, limit=limit)


def by_ids(store: Store, ids: Sequence[int]) -> list[Series]:
    """These series. Raises TelemetryError."""
    return list(by_id(store, ids).values())


def points(
    store: Store, series: Sequence[Series], from_ms: int, to_ms: int, buckets: int
) -> dict[int, list[tuple[int, float]]]:
    """Series id → (Unix ms, value), at most about `buckets` of them over [from_ms, to_ms): the mean of a
    gauge, the rate a second of a counter (a fall is a reset and counts from zero). Raises
    TelemetryError."""
    out: dict[int, list[tuple[int, float]]] = {s.id: [] for s in series}
    window = Window(from_ms, to_ms)
    for counters in (False, True):
        ids = [s.id for s in series if (s.kind == "counter") is counters]
        if ids:
            found = questions.points(store, ids, window, buckets=buckets, rate=counters)
            out |= {id: list(zip(p.times_ms, p.mean, strict=True)) for id, p in found.items()}
    return out
