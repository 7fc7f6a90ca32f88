"""What could not be taken: counts by door and reason, the newest letters, and each by itself to be
replayed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from watchkeeper.telemetry.queries.window import LIMIT
from watchkeeper.telemetry.store import Store

_COLUMNS = """toUnixTimestamp64Milli(time) AS ms, position, door, sender, reason, detail,
              hex(payload) AS payload"""


@dataclass(frozen=True)
class Count:
    """Letters of a door with one reason."""

    door: str
    reason: str
    count: int


@dataclass(frozen=True)
class Letter:
    """One letter; its payload is kept in part when it was large. `position` names it."""

    time: dt.datetime
    position: int
    door: str
    sender: str
    reason: str
    detail: str
    payload: bytes

    @property
    def text(self) -> str:
        """The payload as far as it is text, at most 2,000 characters."""
        return self.payload[:2000].decode("utf-8", "backslashreplace")


def counts(store: Store) -> list[Count]:
    """By door and reason, the most frequent first. Raises TelemetryError."""
    sql = """SELECT door, reason, count() AS count FROM dead_letters GROUP BY door, reason
             ORDER BY count DESC, door, reason LIMIT 100"""
    return [Count(**r) for r in store.rows(sql, limit_seconds=LIMIT)]


def newest(
    store: Store, *, door: str = "", reason: str = "", limit: int = 50, before: Letter | None = None
) -> list[Letter]:
    """The newest letters, of a door and for a reason when they are given; older than `before` for the next
    page. Raises TelemetryError."""
    where = """({door:String} = '' OR door = {door:String})
               AND ({reason:String} = '' OR reason = {reason:String})"""
    values: dict[str, Any] = {"door": door, "reason": reason, "limit": limit}
    if before is not None:
        where += " AND (d.time, position) < (fromUnixTimestamp64Milli({ms:Int64}, 'UTC'), {position:UInt64})"
        values |= {"ms": round(before.time.timestamp() * 1000), "position": before.position}
    sql = f"""SELECT {_COLUMNS} FROM dead_letters AS d WHERE {where}
              ORDER BY d.time DESC, position DESC LIMIT {{limit:UInt32}}"""
    return [_letter(r) for r in store.rows(sql, values, limit_seconds=LIMIT)]


def one(store: Store, position: int) -> Letter | None:
    """The letter at this position, or None. Raises TelemetryError."""
    sql = f"SELECT {_COLUMNS} FROM dead_letters WHERE position = {{position:UInt64}} LIMIT 1"
    found = store.rows(sql, {"position": position}, limit_seconds=LIMIT)
    return _letter(found[0]) if found else None


def _letter(row: dict[str, Any]) -> Letter:
    time = dt.datetime.fromtimestamp(row.pop("ms") / 1000, dt.UTC)
    return Letter(time=time, **row | {"payload": bytes.fromhex(row["payload"])})
