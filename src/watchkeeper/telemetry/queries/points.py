"""Values of series over time, in buckets, as they are or as a rate; last values of many series. Where samples have gone,
of what they came to in five minutes or an hour (tiers.py)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from watchkeeper.telemetry import retention
from watchkeeper.telemetry.queries import tiers
from watchkeeper.telemetry.queries.tiers import Tier
from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

LOOKBACK_MS = 300_000  # how far before the window the sample may lie from which the first increase counts
MAX_SERIES = 1000
_BUCKET = "intDiv(toUnixTimestamp64Milli(time), {step:Int64}) * {step:Int64}"

_VALUES = f"""
SELECT series, {_BUCKET} AS at, min(value) AS low, max(value) AS high, avg(value) AS mean,
       argMax(value, time) AS last
FROM samples
WHERE series IN {{ids:Array(UInt64)}} AND {between("time")} AND isFinite(value)
GROUP BY series, at ORDER BY series, at
"""

# A counter that is less than before began anew from 0, so what it shows has been added since.
_RATES = f"""
SELECT series, {_BUCKET} AS at, min(rate) AS low, max(rate) AS high, sum(increase) / sum(seconds) AS mean,
       argMax(rate, time) AS last
FROM (
    SELECT series, time, if(value >= before, value - before, value) AS increase,
           (toUnixTimestamp64Milli(time) - toUnixTimestamp64Milli(earlier)) / 1000 AS seconds,
           increase / seconds AS rate
    FROM (
        SELECT series, time, value, lagInFrame(value) OVER w AS before, lagInFrame(time) OVER w AS earlier,
               row_number() OVER w AS number
        FROM samples
        WHERE series IN {{ids:Array(UInt64)}} AND isFinite(value)
          AND time >= fromUnixTimestamp64Milli({{from_ms:Int64}} - {LOOKBACK_MS}, 'UTC')
          AND time < fromUnixTimestamp64Milli({{to_ms:Int64}}, 'UTC')
        WINDOW w AS (PARTITION BY series ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
    WHERE number > 1 AND {between("time")} AND seconds > 0
)
GROUP BY series, at ORDER BY series, at
"""

_ROLLED_VALUES = f"""
SELECT series, {_BUCKET} AS at, min(rolled.low) AS low, max(rolled.high) AS high,
       sum(rolled.sum) / sum(rolled.count) AS mean, argMax(rolled.last, time) AS last
FROM <table> AS rolled FINAL
WHERE series IN {{ids:Array(UInt64)}} AND {between("time")}
GROUP BY series, at ORDER BY series, at
"""

# What was added within each row, and from the last sample of the row before to its first.
_ROLLED_RATES = f"""
SELECT series, {_BUCKET} AS at, min(rate) AS low, max(rate) AS high, sum(grown) / sum(seconds) AS mean,
       argMax(rate, time) AS last
FROM (
    SELECT series, time, increase + if(number = 1, 0, if(first >= before, first - before, first)) AS grown,
           (ends - if(number = 1, begins, earlier)) / 1000 AS seconds, grown / seconds AS rate
    FROM (
        SELECT series, time, increase, first, begins, ends, lagInFrame(last) OVER w AS before,
               lagInFrame(ends) OVER w AS earlier, row_number() OVER w AS number
        FROM (
            SELECT series, time, increase, first, last, toUnixTimestamp64Milli(time) + first_ms AS begins,
                   toUnixTimestamp64Milli(time) + last_ms AS ends
            FROM <table> FINAL
            WHERE series IN {{ids:Array(UInt64)}}
              AND time >= fromUnixTimestamp64Milli({{from_ms:Int64}} - <before_ms>, 'UTC')
              AND time < fromUnixTimestamp64Milli({{to_ms:Int64}}, 'UTC')
        )
        WINDOW w AS (PARTITION BY series ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
    WHERE {between("time")} AND seconds > 0
)
GROUP BY series, at ORDER BY series, at
"""


class Latest(msgspec.Struct, frozen=True):
    """A sample."""

    time_ms: int
    value: float


class Points(msgspec.Struct, frozen=True):
    """One series in buckets: where each begins, and its least, greatest, mean and last value. Buckets without
    a sample are left out."""

    series: int
    step_ms: int
    times_ms: list[int]
    low: list[float]
    high: list[float]
    mean: list[float]
    last: list[float]


def points(
    store: Store, ids: Sequence[int], window: Window, *, buckets: int = 200, rate: bool = False
) -> dict[int, Points]:
    """Values of up to MAX_SERIES series in at most about `buckets` buckets; with `rate`, by how much a
    counter grew a second, restarts seen through. Values that are no finite number are left out."""
    oldest_ms = retention.oldest(store)
    step = tiers.step_for(window, buckets, oldest_ms)
    out: dict[int, Points] = {}
    for tier, stretch in tiers.stretches(window, step, oldest_ms):
        bound = {
            "ids": list(ids)[:MAX_SERIES],
            "from_ms": stretch.from_ms,
            "to_ms": stretch.to_ms,
            "step": step,
        }
        table = store.query(_question(tier, rate), bound, limit_seconds=LIMIT)
        columns = [table.column(name).to_pylist() for name in ("series", "at", "low", "high", "mean", "last")]
        for series, at, low, high, mean, last in zip(*columns, strict=True):
            p = out.setdefault(series, Points(series, step, [], [], [], [], []))
            p.times_ms.append(at)
            p.low.append(low)
            p.high.append(high)
            p.mean.append(mean)
            p.last.append(last)
    return out


def _question(tier: Tier, rate: bool) -> str:
    if tier is tiers.SAMPLES:
        return _RATES if rate else _VALUES
    asked = _ROLLED_RATES if rate else _ROLLED_VALUES
    return asked.replace("<table>", tier.table).replace("<before_ms>", str(tier.step_ms))


def latest(
    store: Store, ids: Iterable[int], *, now_ms: int, lookback_ms: int = LOOKBACK_MS
) -> dict[int, Latest]:
    """The last sample of each series within `lookback_ms` before `now_ms`; series without one are left
    out."""
    wanted = list(ids)
    if not wanted:
        return {}
    found = store.rows(
        "SELECT series, toUnixTimestamp64Milli(max(time)) AS time_ms, argMax(value, time) AS value "
        f"FROM samples AS s WHERE series IN {{ids:Array(UInt64)}} AND {between('time')} AND NOT isNaN(s.value) "
        "GROUP BY series",
        {"ids": wanted, "from_ms": now_ms - lookback_ms, "to_ms": now_ms + 60_000},
        limit_seconds=LIMIT,
    )
    return {row["series"]: Latest(row["time_ms"], row["value"]) for row in found}
