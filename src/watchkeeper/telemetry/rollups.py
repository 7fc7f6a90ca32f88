"""Rolls samples up into five minutes and hours. Whatever hours the samples of new groups lie in, late ones too, are
made again from all samples of these hours, and a row that is made again replaces itself (see schema/0006_rollups.sql):
so nothing is counted twice, whatever is killed, and what comes late is counted."""

from __future__ import annotations

from collections import deque

from watchkeeper.telemetry.queries.tiers import ROLLED, Tier
from watchkeeper.telemetry.store import Store

HOUR_MS = 3_600_000
LIMIT = 60.0  # seconds, for an hour of samples; inserts wait meanwhile

_HOURS = f"""
SELECT DISTINCT intDiv(toUnixTimestamp64Milli(time), {HOUR_MS}) * {HOUR_MS} AS hour FROM samples
WHERE batch > {{covered:UInt64}} AND batch <= {{mark:UInt64}} ORDER BY hour
"""

# In the order of the table, a series at a time: an hour of many series does not have to fit into memory.
_ROLL = """
INSERT INTO {table} (series, time, low, high, sum, count, first, first_ms, last, last_ms, increase)
SELECT series, fromUnixTimestamp64Milli(begin, 'UTC'), arrayMin(values), arrayMax(values), arraySum(values),
       length(values), values[1], times[1] - begin, values[-1], times[-1] - begin,
       arraySum(arrayMap((a, b) -> if(b >= a, b - a, b), arrayPopBack(values), arrayPopFront(values)))
FROM (
    SELECT series, intDiv(toUnixTimestamp64Milli(time), {step}) * {step} AS begin,
           arraySort(groupArray((toUnixTimestamp64Milli(time), value))) AS points,
           points.1 AS times, points.2 AS values
    FROM samples
    WHERE time >= fromUnixTimestamp64Milli({{hour:Int64}}, 'UTC')
      AND time < fromUnixTimestamp64Milli({{hour:Int64}} + 3600000, 'UTC') AND isFinite(value)
    GROUP BY series, begin
)
SETTINGS optimize_aggregation_in_order = 1, max_threads = 1
"""


class Rollups:
    """Works off one hour of samples at a time, so that inserts go on in between. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hours: deque[int] = deque()
        self._mark = 0

    def look(self, mark: int) -> None:
        """See in which hours there are samples, of groups up to `mark`, that are not rolled up. Every one of these
        groups has to be whole. Raises TelemetryError."""
        if self._hours:
            return
        covered = covered_up_to(self._store)
        if mark <= covered:
            return
        found = self._store.query(_HOURS, {"covered": covered, "mark": mark}, limit_seconds=LIMIT)
        self._hours.extend(hour for hour in found.column("hour").to_pylist() if hour is not None)
        self._mark = mark
        if not self._hours:
            self._note()

    def step(self) -> bool:
        """Roll one hour up, if there is one to do; whether there is more. Raises TelemetryError: then all that was
        seen is to be looked for again."""
        if not self._hours:
            return False
        hour, left = self._hours[0], list(self._hours)[1:]
        self._hours.clear()
        for tier in ROLLED:
            sql = _ROLL.format(table=tier.table, step=tier.step_ms)
            self._store.command(sql, {"hour": hour}, limit_seconds=LIMIT)
        if not left:
            self._note()
        self._hours.extend(left)
        return bool(left)

    def _note(self) -> None:
        self._store.command("INSERT INTO rolled (covered) SELECT {mark:UInt64}", {"mark": self._mark})


def rows_of(tier: Tier) -> str:
    """SQL: when the row begins that a sample counts in."""
    return f"fromUnixTimestamp64Milli(intDiv(toUnixTimestamp64Milli(time), {tier.step_ms}) * {tier.step_ms}, 'UTC')"


def covered_up_to(store: Store) -> int:
    """The mark of the last group whose samples are rolled up; 0: none is. Raises TelemetryError."""
    found: int = store.rows("SELECT max(covered) AS covered FROM rolled")[0]["covered"]
    return found
