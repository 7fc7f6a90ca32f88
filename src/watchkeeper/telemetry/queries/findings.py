"""What analysis concluded over time: the history of an item or key, and counts for a sparkline."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.model.reason import Reason
from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store


class Count(msgspec.Struct, frozen=True):
    """Findings in a bucket of time, by severity; severities without any are left out."""

    time_ms: int
    counts: dict[str, int]


class PastFinding(msgspec.Struct, frozen=True):
    """One conclusion of a stage of analysis (detect, deduplicate, correlate, determine_cause), with its
    reasons."""

    time_ms: int
    stage: str
    key: str
    kind: str
    item: str
    name: str
    severity: str
    score: float
    active: bool
    summary: str
    labels: dict[str, str]
    because: tuple[Reason, ...]


def history(
    store: Store, window: Window, *, item: str = "", key: str = "", stage: str = "", limit: int = 100
) -> list[PastFinding]:
    """Conclusions newest first, about this item, with this key, of this stage, where given."""
    where, parameters = _where(window, item, key, stage)
    found = store.rows(
        "SELECT toUnixTimestamp64Milli(time) AS time_ms, stage, key, kind, item, name, severity, score, "
        f"active, summary, labels, because FROM findings WHERE {where} "
        "ORDER BY time DESC, key LIMIT {limit:UInt32}",
        parameters | {"limit": limit},
        limit_seconds=LIMIT,
    )
    for row in found:
        row["because"] = msgspec.json.decode(row["because"])
    return [msgspec.convert(row, PastFinding) for row in found]


def sparkline(
    store: Store, window: Window, *, item: str = "", key: str = "", stage: str = "detect", buckets: int = 40
) -> list[Count]:
    """How many active findings there were in each bucket of time, by severity; buckets without any too."""
    where, parameters = _where(window, item, key, stage)
    found = store.rows(
        "SELECT intDiv(toUnixTimestamp64Milli(time), {step:Int64}) * {step:Int64} AS at, severity, "
        f"count() AS n FROM findings WHERE {where} AND active GROUP BY at, severity",
        parameters | {"step": window.step_ms(buckets)},
        limit_seconds=LIMIT,
    )
    by_time: dict[int, dict[str, int]] = {at: {} for at in window.starts(buckets)}
    for row in found:
        by_time.setdefault(row["at"], {})[row["severity"]] = row["n"]
    return [Count(at, counts) for at, counts in sorted(by_time.items())]


def _where(window: Window, item: str, key: str, stage: str) -> tuple[str, dict[str, Any]]:
    conditions = [between("time")]
    parameters: dict[str, Any] = {"from_ms": window.from_ms, "to_ms": window.to_ms}
    for column, value in (("item", item), ("key", key), ("stage", stage)):
        if value:
            conditions.append(f"{column} = {{{column}:String}}")
            parameters[column] = value
    return " AND ".join(conditions), parameters
