"""What could not be taken: counts by door and reason, and the newest letters."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from watchkeeper.telemetry.store import Store

LIMIT_S = 10.0


@dataclass(frozen=True)
class Count:
    """Letters of a door with one reason."""

    door: str
    reason: str
    count: int


@dataclass(frozen=True)
class Letter:
    """One letter; its payload is kept in part when it was large."""

    time: dt.datetime
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
    sql = "SELECT door, reason, count() AS count FROM dead_letters GROUP BY door, reason ORDER BY count DESC LIMIT 100"
    return [Count(**r) for r in store.rows(sql, limit_seconds=LIMIT_S)]


def newest(store: Store, *, door: str = "", reason: str = "", limit: int = 50) -> list[Letter]:
    """The newest letters, of a door and for a reason when they are given. Raises TelemetryError."""
    sql = """SELECT toUnixTimestamp64Milli(time) AS ms, door, sender, reason, detail, hex(payload) AS payload
             FROM dead_letters WHERE ({door:String} = '' OR door = {door:String})
             AND ({reason:String} = '' OR reason = {reason:String})
             ORDER BY dead_letters.time DESC, position DESC LIMIT {limit:UInt32}"""
    rows = store.rows(sql, {"door": door, "reason": reason, "limit": limit}, limit_seconds=LIMIT_S)
    return [
        Letter(dt.datetime.fromtimestamp(r["ms"] / 1000, dt.UTC), r["door"], r["sender"], r["reason"], r["detail"],
               bytes.fromhex(r["payload"]))
        for r in rows
    ]  # fmt: skip
