"""Log lines by words, host, service, severity, template and trace; how many, when; and the shapes they have.

Words are looked for in any case. A word may be part of a longer one; in quotes it has to stand by itself, and
then an index finds it: `"4bf92f3577b34da6"` among millions of lines takes milliseconds. A minus excludes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.model.errors import Malformed
from watchkeeper.telemetry.queries.window import LIMIT, between
from watchkeeper.telemetry.store import Store

WARNING = 13  # OpenTelemetry SeverityNumber
SEVERITIES = ("unknown", "trace", "debug", "info", "warn", "error", "fatal")  # its bands, and 0
MAX_WORDS = 10

_COLUMNS = """toUnixTimestamp64Nano(time) AS ns, position, severity, host, service, source, body, template_id,
              trace_id, span_id, labels"""
_WORD = re.compile(rb'(-?)(?:"([^"]*)"|(\S+))')
_TOKEN = re.compile(rb"[0-9A-Za-z\x80-\xff]+")  # as ClickHouse's tokenbf_v1 cuts


@dataclass(frozen=True)
class Line:
    """One log line; `severity` is OpenTelemetry's number, 0 when it is not known. `position` names it."""

    time: dt.datetime
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


@dataclass(frozen=True)
class Shape:
    """A template with how many lines it has."""

    id: int
    text: str
    count: int


def search(
    store: Store, *, text: str = "", host: str = "", service: str = "", severity: int = 0, template: int = 0,
    trace: str = "", from_ms: int, to_ms: int, before: str = "", limit: int = 100,
) -> tuple[list[Line], str]:  # fmt: skip
    """The newest lines that match, and what to give as `before` for those that follow ("" when there are
    none). Raises TelemetryError, or Malformed for a foreign `before`."""
    where, values = _where(text, host, service, severity, template, trace, from_ms, to_ms)
    if before:
        ns, _, position = before.partition("-")
        if not (ns.isdecimal() and position.isdecimal()):
            raise Malformed("before: not a place in the log")
        # The time by itself as well, because only that leaves out parts of the table.
        where += """ AND time <= fromUnixTimestamp64Nano({ns:Int64}, 'UTC')
                     AND (time, position) < (fromUnixTimestamp64Nano({ns:Int64}, 'UTC'), {position:UInt64})"""
        values |= {"ns": int(ns), "position": int(position)}
    sql = (
        f"SELECT {_COLUMNS} FROM logs WHERE {where} ORDER BY time DESC, position DESC LIMIT {{limit:UInt32}}"
    )
    rows = store.rows(sql, values | {"limit": limit}, limit_seconds=LIMIT)
    more = f"{rows[-1]['ns']}-{rows[-1]['position']}" if len(rows) == limit else ""
    return [_line(r) for r in rows], more


def around(
    store: Store, *, hosts: Sequence[str], services: Sequence[str], from_ms: int, to_ms: int, limit: int = 20
) -> list[tuple[Line, int]]:
    """Warnings and worse of these hosts or services, oldest first: the first line of each shape from each source,
    and how many there are of it. Raises TelemetryError."""
    where, values = _where("", "", "", WARNING, 0, "", from_ms, to_ms)
    where += " AND (lower(host) IN {hosts:Array(String)} OR lower(service) IN {services:Array(String)}"
    where += " OR lower(source) IN {services:Array(String)})"
    values |= {"hosts": list(hosts), "services": list(services), "limit": limit}
    shape = "if(template_id = 0, sipHash64(body), template_id), host, service, source"
    sql = f"""SELECT {_COLUMNS}, n FROM (SELECT *, count() OVER (PARTITION BY {shape}) AS n FROM logs WHERE {where})
              ORDER BY time, position LIMIT 1 BY {shape} LIMIT {{limit:UInt32}}"""
    return [(_line(r), n) for r in store.rows(sql, values, limit_seconds=LIMIT) for n in (r.pop("n"),)]


def histogram(
    store: Store, *, text: str = "", host: str = "", service: str = "", severity: int = 0, template: int = 0,
    trace: str = "", from_ms: int, to_ms: int, bars: int = 60,
) -> list[Bar]:  # fmt: skip
    """How many lines match in each of so many equal stretches, by severity; empty ones are 0. Raises
    TelemetryError."""
    where, values = _where(text, host, service, severity, template, trace, from_ms, to_ms)
    step = max(1, -(-(to_ms - from_ms) // max(1, bars)))
    sql = f"""SELECT intDiv(toUnixTimestamp64Milli(time) - {{from_ms:Int64}}, {{step:Int64}}) AS bar,
                     intDiv(severity + 3, 4) AS band, count() AS n
              FROM logs WHERE {where} GROUP BY bar, band ORDER BY bar, band"""
    found: dict[int, dict[str, int]] = {}
    for r in store.rows(sql, values | {"step": step}, limit_seconds=LIMIT):
        found.setdefault(r["bar"], {})[SEVERITIES[min(r["band"], 6)]] = r["n"]
    counts = [found.get(i, {}) for i in range(bars)]
    return [Bar(_moment((from_ms + i * step) * 10**6), sum(c.values()), c) for i, c in enumerate(counts)]


def templates(store: Store, *, from_ms: int, to_ms: int, limit: int = 20) -> list[Shape]:
    """The most frequent templates of a time. Raises TelemetryError."""
    where, values = _where("", "", "", 0, 0, "", from_ms, to_ms)
    sql = f"""SELECT l.id AS id, t.text AS text, l.count AS count FROM (
                  SELECT template_id AS id, count() AS count FROM logs WHERE {where} GROUP BY template_id)
                  AS l INNER JOIN (SELECT id, argMax(text, updated) AS text FROM templates GROUP BY id) AS t
                  ON t.id = l.id ORDER BY count DESC, id LIMIT {{limit:UInt32}}"""
    return [Shape(**r) for r in store.rows(sql, values | {"limit": limit}, limit_seconds=LIMIT)]


def _where(
    text: str, host: str, service: str, severity: int, template: int, trace: str, from_ms: int, to_ms: int
) -> tuple[str, dict[str, Any]]:
    parts = [between("time", "Nano")]
    values: dict[str, Any] = {"from_ms": from_ms, "to_ms": to_ms}
    for i, word in enumerate(list(_WORD.finditer(text.encode()))[:MAX_WORDS]):
        condition, bound = _contains(word[3] or word[2], f"w{i}", quoted=word[3] is None)
        parts.append(f"NOT ({condition})" if word[1] else condition)
        values |= bound
    for name, value in (("host", host), ("service", service)):
        if value:
            other = " OR lower(source) = {service:String}" if name == "service" else ""
            parts.append(f"(lower({name}) = {{{name}:String}}{other})")
            values[name] = value.lower()
    if severity:
        parts.append("severity >= {severity:UInt8}")
        values["severity"] = min(severity, 255)
    if template:
        parts.append("template_id = {template:UInt64}")
        values["template"] = template
    if trace:
        parts.append("trace_id = {trace:String}")
        values["trace"] = trace
    return " AND ".join(parts), values


def _contains(word: bytes, name: str, *, quoted: bool) -> tuple[str, dict[str, str]]:
    """The condition that a word occurs in a body, and what it binds. Tokens that must stand whole are asked
    for by themselves as well, because the index knows tokens alone: all of a quoted word, the inner ones of
    another."""
    conditions = [f"position(lower(body), {{{name}:String}}) > 0"]
    bound = {name: word.lower().decode()}  # bytes, so that ASCII alone changes, as in ClickHouse's lower()
    for i, token in enumerate(_TOKEN.finditer(word)):
        if quoted or (token.start() > 0 and token.end() < len(word)):
            conditions.append(f"hasToken(lower(body), {{{name}_{i}:String}})")
            bound[f"{name}_{i}"] = token[0].lower().decode()
    return " AND ".join(conditions), bound


def _line(row: dict[str, Any]) -> Line:
    return Line(time=_moment(row.pop("ns")), **row)


def _moment(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns / 10**9, dt.UTC)
