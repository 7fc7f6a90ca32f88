"""For how many days each table keeps its rows. ClickHouse knows it, as the TTL of the table, and drops what is older by
itself, in whole parts; nothing else notes it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchkeeper.telemetry.kept import DAY_MS, TABLES, RetentionRefused, checked, sooner
from watchkeeper.telemetry.queries.tiers import SAMPLES, TIERS
from watchkeeper.telemetry.rollups import covered_up_to
from watchkeeper.telemetry.store import Store

_TTL = re.compile(r"toIntervalDay\((\d+)\)|INTERVAL (\d+) DAY")
_SERIES = "series"  # kept as long as anything of its samples


def days(store: Store) -> dict[str, int]:
    """Days for which each table keeps its rows; 0: for ever. Raises TelemetryError."""
    return {table: kept for table, (kept, _) in _known(store).items() if table in TABLES}


def oldest(store: Store) -> dict[str, int]:
    """How far back each table keeps rows, in Unix milliseconds; 0: for ever. Raises TelemetryError."""
    return {table: now - kept * DAY_MS if kept else 0 for table, (kept, now) in _known(store).items()}


def differing(store: Store, changes: Mapping[str, int]) -> dict[str, int]:
    """The days, as they are, of the tables that these changes would change. Raises RetentionRefused when they cannot be,
    and TelemetryError."""
    now = days(store)
    wanted = {**now, **checked(now, changes)}
    if sooner(wanted["samples"], now["samples"]) and not covered_up_to(store) and _any_samples(store):
        raise RetentionRefused(
            "samples", "older ones are being rolled up for the first time; try again in a few minutes"
        )
    return {table: now[table] for table in wanted if wanted[table] != now[table]}


def keep(store: Store, changes: Mapping[str, int]) -> dict[str, int]:
    """Keep rows of these tables for so many days, 0 for ever; what `differing` says. Raises as it does."""
    before = differing(store, changes)
    tiers = [{**days(store), **changes}[tier.table] for tier in TIERS]
    _set(store, _SERIES, "last_seen", 0 if 0 in tiers else max(tiers))
    for table in before:
        _set(store, table, TABLES[table].column, changes[table])
    return before


def _known(store: Store) -> dict[str, tuple[int, int]]:
    """Table → days, and what the server's clock shows."""
    found = store.rows(
        "SELECT name, engine_full, toUnixTimestamp64Milli(now64(3)) AS now FROM system.tables"
        " WHERE database = {database:String}",
        {"database": store.database},
    )
    out = {}
    for row in found:
        if row["name"] in (*TABLES, _SERIES):
            ttl = _TTL.search(row["engine_full"])
            out[row["name"]] = (int(ttl[1] or ttl[2]) if ttl else 0, row["now"])
    return out


def _any_samples(store: Store) -> bool:
    return bool(store.rows(f"SELECT 1 AS one FROM {SAMPLES.table} LIMIT 1"))


def _set(store: Store, table: str, column: str, kept: int) -> None:
    ttl = f"MODIFY TTL toDateTime({column}) + INTERVAL {kept} DAY" if kept else "REMOVE TTL"
    if kept or _known(store)[table][0]:
        store.command(f"ALTER TABLE {table} {ttl}")
