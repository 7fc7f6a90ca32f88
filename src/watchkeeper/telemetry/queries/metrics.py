"""Series by name and labels, and their points thinned to what a chart can show; counters as rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchkeeper.telemetry.store import Store

LIMIT_S = 10.0


@dataclass(frozen=True)
class Name:
    """A metric name and how many series carry it."""

    name: str
    series: int


@dataclass(frozen=True)
class Series:
    """One series."""

    id: int
    name: str
    labels: dict[str, str]
    kind: str
    unit: str
    door: str


_SERIES = """SELECT id, name, anyLast(labels) AS labels, anyLast(kind) AS kind, anyLast(unit) AS unit,
                    anyLast(door) AS door FROM series WHERE {where} GROUP BY name, id ORDER BY name, id LIMIT {{limit:UInt32}}"""


def names(store: Store, words: str = "", *, limit: int = 100) -> list[Name]:
    """Names that contain every word, in their order. Raises TelemetryError."""
    parts = words.lower().split()[:8]
    where = " AND ".join(f"position(lower(name), {{w{i}:String}}) > 0" for i in range(len(parts))) or "1"
    values: dict[str, object] = {f"w{i}": w for i, w in enumerate(parts)} | {"limit": limit}
    sql = f"SELECT name, uniqExact(id) AS series FROM series WHERE {where} GROUP BY name ORDER BY name LIMIT {{limit:UInt32}}"
    return [Name(**r) for r in store.rows(sql, values, limit_seconds=LIMIT_S)]


def find(store: Store, name: str, labels: Mapping[str, str], limit: int = 100) -> list[Series]:
    """Series of this name that carry all these labels. Raises TelemetryError."""
    where, values = ["name = {name:String}"], dict[str, object](name=name, limit=limit)
    for i, (key, value) in enumerate(labels.items()):
        where.append(f"labels[{{k{i}:String}}] = {{v{i}:String}}")
        values |= {f"k{i}": key, f"v{i}": value}
    return _series(store, " AND ".join(where), values)


def by_ids(store: Store, ids: Sequence[int]) -> list[Series]:
    """These series. Raises TelemetryError."""
    return _series(store, "id IN {ids:Array(UInt64)}", {"ids": list(ids), "limit": len(ids)}) if ids else []


def _series(store: Store, where: str, values: Mapping[str, object]) -> list[Series]:
    return [Series(**r) for r in store.rows(_SERIES.format(where=where), values, limit_seconds=LIMIT_S)]


def points(
    store: Store, series: Sequence[Series], from_ms: int, to_ms: int, buckets: int
) -> dict[int, list[tuple[int, float]]]:
    """Series id → (Unix ms, value), at most `buckets` of them over [from_ms, to_ms): the mean of a gauge, the rate
    a second of a counter (a fall is a reset and counts from zero). Raises TelemetryError."""
    step = max(1, -(-(to_ms - from_ms) // max(1, buckets)))
    out: dict[int, list[tuple[int, float]]] = {s.id: [] for s in series}
    for counters, sql in ((False, _MEANS), (True, _RATES)):
        ids = [s.id for s in series if (s.kind == "counter") is counters]
        if not ids:
            continue
        values = {"ids": ids, "from": from_ms, "to": to_ms, "step": step}
        for r in store.rows(sql, values, limit_seconds=LIMIT_S):
            out[r["series"]].append((r["at"], r["value"]))
    return out


_WITHIN = """series IN {ids:Array(UInt64)} AND time >= fromUnixTimestamp64Milli({from:Int64})
             AND time < fromUnixTimestamp64Milli({to:Int64}) AND isFinite(value)"""
_AT = "intDiv(toUnixTimestamp64Milli(time), {step:Int64}) * {step:Int64}"
_MEANS = f"SELECT series, {_AT} AS at, avg(value) AS value FROM samples WHERE {_WITHIN} GROUP BY series, at ORDER BY series, at"
_RATES = f"""
SELECT series, at, sum(rise) / sum(took) AS value FROM (
    SELECT series, {_AT} AS at,
        lagInFrame(value) OVER w AS before, lagInFrame(toNullable(time)) OVER w AS since,
        if(value >= before, value - before, value) AS rise,
        dateDiff('millisecond', since, time) / 1000 AS took
    FROM samples WHERE {_WITHIN}
    WINDOW w AS (PARTITION BY series ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
) WHERE since IS NOT NULL AND took > 0 GROUP BY series, at ORDER BY series, at"""
