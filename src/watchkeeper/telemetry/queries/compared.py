"""What a version in the shade said beside the deciding one, from the history of what analysis concluded."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

STAGE = "shade"


class Unlike(msgspec.Struct, frozen=True):
    """A subject of which both said something else; "" is no verdict."""

    subject: str
    name: str
    time_ms: int
    deciding: str
    shade: str


class Tally(msgspec.Struct, frozen=True):
    """How many subjects were judged by both since when (Unix ms, 0: none yet), and how the last verdicts of each stand to
    one another."""

    subjects: int = 0
    since_ms: int = 0
    same: int = 0
    differs: int = 0
    only_deciding: int = 0
    only_shade: int = 0


_LAST = f"""
SELECT key, argMax(kind, time) AS kind, argMax(name, time) AS name, argMax(labels, time) AS labels,
       toUnixTimestamp64Milli(min(time)) AS first_ms, toUnixTimestamp64Milli(max(time)) AS time_ms
FROM findings WHERE stage = '{STAGE}' AND startsWith(key, {{prefix:String}}) AND {between("time")} GROUP BY key
"""


def prefix(part: str, versions: tuple[str, str]) -> str:
    """What keys of rows about these begin with; the subject's id follows."""
    return f"{part}|{versions[0]}|{versions[1]}|"


def tally(store: Store, part: str, versions: tuple[str, str], window: Window) -> Tally:
    """Counts over all subjects."""
    kinds = ("same", "differs", "only_deciding", "only_shade")
    counts = ", ".join(f"countIf(kind = '{k}') AS {k}" for k in kinds)
    rows = store.rows(
        f"SELECT count() AS subjects, min(first_ms) AS since_ms, {counts} FROM ({_LAST})",
        _bound(part, versions, window), limit_seconds=LIMIT,
    )  # fmt: skip
    return msgspec.convert(rows[0], Tally) if rows else Tally()


def unlike(
    store: Store, part: str, versions: tuple[str, str], window: Window, limit: int = 50
) -> list[Unlike]:
    """Subjects whose last verdicts are not the same, newest first."""
    begin = prefix(part, versions)
    rows = store.rows(
        f"SELECT key, name, time_ms, labels FROM ({_LAST}) WHERE kind != 'same' "
        "ORDER BY time_ms DESC, key LIMIT {limit:UInt32}",
        {**_bound(part, versions, window), "limit": limit}, limit_seconds=LIMIT,
    )  # fmt: skip
    return [
        Unlike(r["key"].removeprefix(begin), r["name"], r["time_ms"], r["labels"].get("deciding", ""),
               r["labels"].get("shade", ""))
        for r in rows
    ]  # fmt: skip


def _bound(part: str, versions: tuple[str, str], window: Window) -> dict[str, Any]:
    return {"prefix": prefix(part, versions), "from_ms": window.from_ms, "to_ms": window.to_ms}
