"""What series came to, hour by hour: for what looks over weeks at many of them. From the rollups, and from samples only
what is not rolled up yet."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.telemetry.queries.window import between
from watchkeeper.telemetry.rollups import HOUR_MS, covered_up_to
from watchkeeper.telemetry.store import Store

LIMIT = 30.0  # seconds; nobody waits for it at a screen

_HOURS = f"""
SELECT series, at, argMax(mean, number) AS mean
FROM (
    SELECT series, toUnixTimestamp64Milli(time) AS at, rolled.sum / rolled.count AS mean, rolled.count AS number
    FROM samples_1h AS rolled FINAL
    WHERE series IN {{ids:Array(UInt64)}} AND {between("time")}
    UNION ALL
    SELECT series, intDiv(toUnixTimestamp64Milli(time), {HOUR_MS}) * {HOUR_MS} AS at, avg(value) AS mean,
           count() AS number
    FROM samples
    WHERE series IN {{ids:Array(UInt64)}} AND {between("time")} AND isFinite(value)
      AND batch > {{covered:UInt64}}
    GROUP BY series, at
)
GROUP BY series, at ORDER BY series, at
"""


def hours(
    store: Store, ids: Sequence[int], from_ms: int, to_ms: int
) -> dict[int, tuple[list[int], list[float]]]:
    """Series → when its hours begin (Unix milliseconds) and their means; hours without a sample are left out, and so are
    series without any. Raises TelemetryError."""
    asked = {"ids": list(ids), "from_ms": from_ms, "to_ms": to_ms, "covered": covered_up_to(store)}
    table = store.query(_HOURS, asked, limit_seconds=LIMIT)
    out: dict[int, tuple[list[int], list[float]]] = {}
    columns = (table.column(name).to_pylist() for name in ("series", "at", "mean"))
    for series, at, mean in zip(*columns, strict=True):
        times, values = out.setdefault(series, ([], []))
        times.append(at)
        values.append(mean)
    return out
