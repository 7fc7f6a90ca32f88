"""Log lines by words, host, service, severity and template; how many, when; and the shapes they have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watchkeeper.model.errors import Malformed
from watchkeeper.telemetry.store import Store

LIMIT_S = 10.0
WARNING = 13  # OpenTelemetry SeverityNumber


@dataclass(frozen=True)
class Line:
    """One log line; `severity` is OpenTelemetry's number, 0 when it is not known."""

    time: dt.datetime
    severity: int
    host: str
    service: str
    source: str
    body: str
    template_id: int
    trace_id: str
    labels: dict[str, str]

    @property
    def source_name(self) -> str:
        """Who logged it, as briefly as it can be said."""
        return self.service or self.source or self.host


@dataclass(frozen=True)
class Bar:
    """Lines of a stretch of time."""

    time: dt.datetime
    count: int


@dataclass(frozen=True)
class Shape:
    """A template with how many lines it has."""

    id: int
    text: str
    count: int


_COLUMNS = """toUnixTimestamp64Nano(time) AS ns, position, severity, host, service, source, body, template_id,
              trace_id, labels"""


def search(
    store: Store, *, text: str = "", host: str = "", service: str = "", severity: int = 0, template: int = 0,
    from_ms: int, to_ms: int, before: str = "", limit: int = 100,
) -> tuple[list[Line], str]:  # fmt: skip
    """The newest lines that match, and what to give as `before` for those that follow ("" when there are none).
    Every word of `text` has to occur, in any case. Raises TelemetryError, or Malformed for a foreign `before`."""
    where, values = _where(text, host, service, severity, template, from_ms, to_ms)
    if before:
        ns, _, position = before.partition("-")
        if not (ns.isdigit() and position.isdigit()):
            raise Malformed("before: not a place in the log")
        where += " AND (time, position) < (fromUnixTimestamp64Nano({ns:Int64}), {position:UInt64})"
        values |= {"ns": int(ns), "position": int(position)}
    sql = f"SELECT {_COLUMNS} FROM logs WHERE {where} ORDER BY time DESC, position DESC LIMIT {{limit:UInt32}}"
    rows = store.rows(sql, values | {"limit": limit}, limit_seconds=LIMIT_S)
    more = f"{rows[-1]['ns']}-{rows[-1]['position']}" if len(rows) == limit else ""
    return [_line(r) for r in rows], more


def around(
    store: Store, *, hosts: Sequence[str], services: Sequence[str], from_ms: int, to_ms: int, limit: int = 20
) -> list[Line]:
    """Warnings and worse of these hosts or services, oldest first. Raises TelemetryError."""
    where, values = _where("", "", "", WARNING, 0, from_ms, to_ms)
    where += " AND (lower(host) IN {hosts:Array(String)} OR lower(service) IN {services:Array(String)}"
    where += " OR lower(source) IN {services:Array(String)})"
    values |= {"hosts": list(hosts), "services": list(services), "limit": limit}
    sql = f"SELECT {_COLUMNS} FROM logs WHERE {where} ORDER BY time, position LIMIT {{limit:UInt32}}"
    return [_line(r) for r in store.rows(sql, values, limit_seconds=LIMIT_S)]


def histogram(
    store: Store, *, text: str = "", host: str = "", service: str = "", severity: int = 0, template: int = 0,
    from_ms: int, to_ms: int, bars: int = 60,
) -> list[Bar]:  # fmt: skip
    """How many lines match in each of so many equal stretches; empty ones are 0. Raises TelemetryError."""
    where, values = _where(text, host, service, severity, template, from_ms, to_ms)
    step = max(1, (to_ms - from_ms) // max(1, bars))
    sql = f"""SELECT intDiv(toUnixTimestamp64Milli(time) - {{from:Int64}}, {{step:Int64}}) AS bar, count() AS n
              FROM logs WHERE {where} GROUP BY bar"""
    found = {r["bar"]: r["n"] for r in store.rows(sql, values | {"step": step}, limit_seconds=LIMIT_S)}
    return [Bar(_moment((from_ms + i * step) * 10**6), found.get(i, 0)) for i in range(bars)]


def templates(store: Store, *, from_ms: int, to_ms: int, limit: int = 20) -> list[Shape]:
    """The most frequent templates of a time. Raises TelemetryError."""
    where, values = _where("", "", "", 0, 0, from_ms, to_ms)
    sql = f"""SELECT template_id AS id, any(t.text) AS text, count() AS count FROM logs
              INNER JOIN (SELECT id, argMax(text, updated) AS text FROM templates GROUP BY id) AS t
              ON t.id = template_id WHERE {where} GROUP BY template_id ORDER BY count DESC, id LIMIT {{limit:UInt32}}"""
    return [Shape(**r) for r in store.rows(sql, values | {"limit": limit}, limit_seconds=LIMIT_S)]


def _where(
    text: str, host: str, service: str, severity: int, template: int, from_ms: int, to_ms: int
) -> tuple[str, dict[str, object]]:
    parts = ["time >= fromUnixTimestamp64Milli({from:Int64})", "time < fromUnixTimestamp64Milli({to:Int64})"]
    values: dict[str, object] = {"from": from_ms, "to": to_ms}
    for i, word in enumerate(text.lower().split()[:10]):
        parts.append(f"position(lower(body), {{w{i}:String}}) > 0")
        values[f"w{i}"] = word
    for name, value in (("host", host), ("service", service)):
        if value:
            other = " OR lower(source) = {service:String}" if name == "service" else ""
            parts.append(f"(lower({name}) = {{{name}:String}}{other})")
            values[name] = value.lower()
    if severity:
        parts.append("severity >= {severity:UInt8}")
        values["severity"] = severity
    if template:
        parts.append("template_id = {template:UInt64}")
        values["template"] = template
    return " AND ".join(parts), values


def _line(row: dict[str, Any]) -> Line:
    time = _moment(row.pop("ns"))
    row.pop("position")
    return Line(time=time, **row)


def _moment(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns / 10**9, dt.UTC)
