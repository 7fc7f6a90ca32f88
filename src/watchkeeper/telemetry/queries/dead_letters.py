"""What could not be taken: listed newest first, counted by door and reason, and one by one to be replayed."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

_COLUMNS = "toUnixTimestamp64Milli(time) AS time_ms, position, door, sender, reason, detail, base64Encode(payload) AS payload"


class DeadLetter(msgspec.Struct, frozen=True):
    """One thing that could not be taken, as much of it as was kept. `position` names it."""

    time_ms: int
    position: int
    door: str
    sender: str
    reason: str
    detail: str
    payload: bytes


class Reasons(msgspec.Struct, frozen=True):
    """How much could not be taken at one door for one reason."""

    door: str
    reason: str
    count: int
    last_ms: int


def search(
    store: Store, window: Window, *, door: str = "", reason: str = "", limit: int = 50,
    before: tuple[int, int] | None = None,
) -> list[DeadLetter]:  # fmt: skip
    """Newest first. The next page is asked with `before`, time_ms and position of the last one seen."""
    where = f"{between('time')} AND door LIKE {{door:String}} AND reason LIKE {{reason:String}}"
    parameters: dict[str, Any] = {
        "from_ms": window.from_ms, "to_ms": window.to_ms, "door": door or "%", "reason": reason or "%",
        "limit": limit,
    }  # fmt: skip
    if before is not None:
        where += " AND (time, position) < (fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC'), {at:UInt64})"
        parameters |= {"before_ms": before[0], "at": before[1]}
    found = store.rows(
        f"SELECT {_COLUMNS} FROM dead_letters WHERE {where} ORDER BY time DESC, position DESC "
        "LIMIT {limit:UInt32}",
        parameters,
        limit_seconds=LIMIT,
    )
    return [_letter(row) for row in found]


def one(store: Store, position: int) -> DeadLetter | None:
    """The dead letter at this position, or None."""
    found = store.rows(
        f"SELECT {_COLUMNS} FROM dead_letters WHERE position = {{position:UInt64}} LIMIT 1",
        {"position": position},
        limit_seconds=LIMIT,
    )
    return _letter(found[0]) if found else None


def reasons(store: Store, window: Window) -> list[Reasons]:
    """Counts by door and reason, the largest first."""
    found = store.rows(
        "SELECT door, reason, count() AS count, toUnixTimestamp64Milli(max(time)) AS last_ms FROM dead_letters "
        f"WHERE {between('time')} GROUP BY door, reason ORDER BY count DESC, door, reason",
        {"from_ms": window.from_ms, "to_ms": window.to_ms},
        limit_seconds=LIMIT,
    )
    return [Reasons(**row) for row in found]


def _letter(row: dict[str, Any]) -> DeadLetter:
    return msgspec.convert(row, DeadLetter)  # which decodes base64 into bytes
