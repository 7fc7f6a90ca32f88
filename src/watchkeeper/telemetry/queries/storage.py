"""What each table takes on disk, how many rows it has, and how far back they go. All of it is known without reading
rows."""

from __future__ import annotations

import msgspec

from watchkeeper.telemetry import retention
from watchkeeper.telemetry.kept import TABLES
from watchkeeper.telemetry.store import Store


class Usage(msgspec.Struct, frozen=True):
    """A table: `bytes` as compressed on disk, `oldest_ms` Unix milliseconds of its oldest row, `days` for which rows are
    kept (0: for ever)."""

    table: str
    label: str
    rows: int
    bytes: int
    oldest_ms: int | None
    days: int


def usage(store: Store) -> list[Usage]:
    """The tables that people choose a retention for, in their order. Raises TelemetryError."""
    sizes = {
        row["table"]: row
        for row in store.rows(
            "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts"
            " WHERE active AND database = {database:String} GROUP BY table",
            {"database": store.database},
        )
    }
    # Of the column that partitions are made by, ClickHouse keeps the least of every part.
    each = " UNION ALL ".join(
        f"SELECT '{table}' AS table, count() AS rows, toUnixTimestamp64Milli(toDateTime64(min({kept.column}), 3, 'UTC'))"
        f" AS oldest FROM {table}"
        for table, kept in TABLES.items()
    )
    found = {row["table"]: row for row in store.rows(each)}
    days = retention.days(store)
    return [
        Usage(
            table, kept.label, found[table]["rows"], sizes.get(table, {}).get("bytes", 0),
            found[table]["oldest"] if found[table]["rows"] else None, days[table],
        )
        for table, kept in TABLES.items()
    ]  # fmt: skip
