"""Log lines that match a query, newest first; how many, when; what is around one; what came after one.

What may be asked is in log_language.py, how it becomes SQL in log_conditions.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.model.errors import Malformed
from watchkeeper.telemetry.queries.log_conditions import compiled
from watchkeeper.telemetry.queries.log_language import SEVERITIES, parse
from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

_COLUMNS = """toUnixTimestamp64Nano(time) AS ns, position, severity, host, service, source, body, template_id,
              trace_id, span_id, labels, door"""
#: A line that comes later than this after its own time is found by searching, but not told to those who follow.
LATE_MS = 600_000


@dataclass(frozen=True)
class Line:
    """One log line; `severity` is OpenTelemetry's number, 0 when it is not known. `place` names it."""

    ns: int
    position: int
    severity: int
    host: str
    service: str
    source: str
    body: str
    template_id: int
    trace_id: str
    span_id: str
    labels: dict[str, str]
    door: str

    @property
    def time(self) -> dt.datetime:
        """When, to the microsecond."""
        return _moment(self.ns)

    @property
    def place(self) -> str:
        """Where it is in the log: its time in nanoseconds and its position."""
        return f"{self.ns}-{self.position}"

    @property
    def level(self) -> str:
        """Its severity as a word of SEVERITIES."""
        return SEVERITIES[min((self.severity + 3) // 4, 6)]

    @property
    def source_name(self) -> str:
        """Who logged it, as briefly as it can be said."""
        return self.service or self.source or self.host


@dataclass(frozen=True)
class Bar:
    """Lines of a stretch of time; `severities` has those of SEVERITIES of which there are any."""

    time: dt.datetime
    count: int
    severities: dict[str, int] = field(default_factory=dict)


def search(
    store: Store, query: str = "", *, from_ms: int, to_ms: int, before: str = "", limit: int = 100
) -> tuple[list[Line], str]:
    """The newest lines that match, and what to give as `before` for those that follow ("" when there are
    none). Raises TelemetryError, BadLogQuery, or Malformed for a foreign `before`."""
    where, values = matching(query, from_ms, to_ms)
    if before:
        condition, bound = _beside(before, older=True)
        where, values = f"{where} AND {condition}", values | bound
    lines = _lines(store, f"{where} ORDER BY time DESC, position DESC", values, limit)
    return lines, lines[-1].place if len(lines) == limit else ""


def one(store: Store, place: str) -> Line | None:
    """The line at a place, None when it has been forgotten. Raises as `search`."""
    at = _named(place)[0] // 10**6
    older, bound = _beside(place, older=True, itself=True)
    where = f"{between('time', 'Nano')} AND {older} ORDER BY time DESC, position DESC"
    found = _lines(store, where, bound | {"from_ms": at, "to_ms": at + 1}, 1)
    return found[0] if found and found[0].place == place else None


def surrounding(
    store: Store, place: str, host: str, *, each: int = 50, reach_ms: int = 3_600_000
) -> list[Line]:
    """The line at a place with those of its host before and after it, newest first. Raises as `search`."""
    at = _named(place)[0] // 10**6
    values: dict[str, Any] = {"from_ms": at - reach_ms, "to_ms": at + reach_ms, "host": host}
    where = f"{between('time', 'Nano')} AND host = {{host:String}}"
    older, bound = _beside(place, older=True, itself=True)
    before = _lines(store, f"{where} AND {older} ORDER BY time DESC, position DESC", values | bound, each + 1)
    newer, bound = _beside(place, older=False)
    after = _lines(store, f"{where} AND {newer} ORDER BY time, position", values | bound, each)
    return [*reversed(after), *before]


def newest_position(store: Store, now_ms: int) -> int:
    """Where those begin who want to hear of what comes next."""
    sql = f"SELECT max(position) AS last FROM logs WHERE {between('time', 'Nano')}"
    bounds = {"from_ms": now_ms - LATE_MS, "to_ms": now_ms + LATE_MS}
    return int(store.rows(sql, bounds, limit_seconds=LIMIT)[0]["last"])


def arrived(store: Store, query: str, position: int, now_ms: int, limit: int = 200) -> tuple[list[Line], int]:
    """The newest of those that match and came after this position, in the order in which they came; and how many
    more did. Positions rise in the order of arrival, whatever times senders write. Raises as `search`."""
    where, values = matching(query, now_ms - LATE_MS, now_ms + LATE_MS)
    where, values = f"{where} AND position > {{after:UInt64}}", values | {"after": position}
    lines = _lines(store, f"{where} ORDER BY position DESC", values, limit)[::-1]
    if len(lines) < limit:
        return lines, 0
    counted = f"SELECT count() AS n FROM logs WHERE {where} AND position < {{first:UInt64}}"
    found = store.rows(counted, values | {"first": lines[0].position}, limit_seconds=LIMIT)
    return lines, int(found[0]["n"])


def around(
    store: Store, *, hosts: Sequence[str], services: Sequence[str], from_ms: int, to_ms: int, limit: int = 20
) -> list[tuple[Line, int]]:
    """Warnings and worse of these hosts or services, oldest first: the first line of each shape from each source,
    and how many there are of it. Raises TelemetryError."""
    where, values = matching("severity>=warn", from_ms, to_ms)
    where += " AND (lower(host) IN {hosts:Array(String)} OR lower(service) IN {services:Array(String)}"
    where += " OR lower(source) IN {services:Array(String)})"
    values |= {"hosts": list(hosts), "services": list(services), "limit": limit}
    shape = "if(template_id = 0, sipHash64(body), template_id), host, service, source"
    sql = f"""SELECT {_COLUMNS}, n FROM (SELECT *, count() OVER (PARTITION BY {shape}) AS n FROM logs WHERE {where})
              ORDER BY time, position LIMIT 1 BY {shape} LIMIT {{limit:UInt32}}"""
    return [(Line(**r), n) for r in store.rows(sql, values, limit_seconds=LIMIT) for n in (r.pop("n"),)]


def histogram(store: Store, query: str = "", *, from_ms: int, to_ms: int, bars: int = 60) -> list[Bar]:
    """How many lines match, exactly, in stretches of a round length, at most about so many, by severity; empty ones
    are 0, and the time may begin or end within one. Raises as `search`."""
    where, values = matching(query, from_ms, to_ms)
    window = Window(from_ms, to_ms)
    sql = f"""SELECT intDiv(toUnixTimestamp64Milli(time), {{step:Int64}}) * {{step:Int64}} AS bar,
                     intDiv(severity + 3, 4) AS band, count() AS n
              FROM logs WHERE {where} GROUP BY bar, band ORDER BY bar, band"""
    found: dict[int, dict[str, int]] = {}
    for r in store.rows(sql, values | {"step": window.step_ms(bars)}, limit_seconds=LIMIT):
        found.setdefault(r["bar"], {})[SEVERITIES[min(r["band"], 6)]] = r["n"]
    counts = ((start, found.get(start, {})) for start in window.starts(bars))
    return [Bar(_moment(start * 10**6), sum(c.values()), c) for start, c in counts]


def matching(query: str, from_ms: int, to_ms: int) -> tuple[str, dict[str, Any]]:
    """The condition of a query within a time, and what it binds. Raises BadLogQuery."""
    where, values = compiled(parse(query))
    return f"{between('time', 'Nano')} AND {where}", values | {"from_ms": from_ms, "to_ms": to_ms}


def _beside(place: str, *, older: bool, itself: bool = False) -> tuple[str, dict[str, int]]:
    """The condition to lie on one side of a place. The time by itself as well, because only that leaves out parts of
    the table."""
    ns, position = _named(place)
    sign, at = "<" if older else ">", "fromUnixTimestamp64Nano({ns:Int64}, 'UTC')"
    equal = "=" if itself else ""
    condition = f"time {sign}= {at} AND (time, position) {sign}{equal} ({at}, {{position:UInt64}})"
    return condition, {"ns": ns, "position": position}


def _named(place: str) -> tuple[int, int]:
    ns, _, position = place.partition("-")
    if not (place.isascii() and ns.isdecimal() and position.isdecimal() and len(place) < 40):
        raise Malformed("before: not a place in the log")
    return int(ns), int(position)


def _lines(store: Store, where: str, values: dict[str, Any], limit: int) -> list[Line]:
    sql = f"SELECT {_COLUMNS} FROM logs WHERE {where} LIMIT {{limit:UInt32}}"
    return [Line(**r) for r in store.rows(sql, values | {"limit": limit}, limit_seconds=LIMIT)]


def _moment(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns / 10**9, dt.UTC)
