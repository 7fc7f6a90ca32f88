"""Log records: searched newest first, counted over time, and by template."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

_TERM = re.compile(rb'(-?)(?:"([^"]*)"|(\S+))')
_TOKEN = re.compile(rb"[0-9A-Za-z\x80-\xff]+")  # as ClickHouse's tokenbf_v1 cuts
# OpenTelemetry's SeverityNumber in its six bands; 0 is unknown.
_BANDS = "['unknown', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'][intDiv(severity + 3, 4) + 1]"
BANDS = ("unknown", "trace", "debug", "info", "warn", "error", "fatal")


class LogFilter(msgspec.Struct, frozen=True):
    """Which records: all conditions that are given hold.

    `text` is words that occur as whole words, in any case: `timeout db-3`. A star lifts the bound at that
    end, `conn*`; quotes keep words together, `"link down"`; a minus excludes, `-debug`. Words use an index.
    """

    text: str = ""
    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    min_severity: int = 0
    templates: tuple[int, ...] = ()
    trace_id: str = ""
    labels: dict[str, str] = {}


class Log(msgspec.Struct, frozen=True):
    """One log record. `time_ns` and `position` together name it."""

    time_ns: int
    position: int
    severity: int
    host: str
    service: str
    source: str
    template_id: int
    body: str
    labels: dict[str, str]
    trace_id: str
    span_id: str
    door: str


class Count(msgspec.Struct, frozen=True):
    """Records in a bucket of time, by band of severity (BANDS); bands without any are left out."""

    time_ms: int
    counts: dict[str, int]


class TemplateCount(msgspec.Struct, frozen=True):
    """A template among the records found: how often, when, how bad, and one of its lines."""

    template_id: int
    text: str
    count: int
    first_ms: int
    last_ms: int
    severity: int
    example: str


def search(
    store: Store, window: Window, wanted: LogFilter = LogFilter(), *, limit: int = 100,
    before: tuple[int, int] | None = None,
) -> list[Log]:  # fmt: skip
    """Records newest first. The next page is asked with `before`, time_ns and position of the last one
    seen."""
    where, parameters = _where(window, wanted)
    if before is not None:
        where += (
            " AND (time, position) < (fromUnixTimestamp64Nano({before_ns:Int64}, 'UTC'), {before_position:UInt64})"
            " AND time <= fromUnixTimestamp64Nano({before_ns:Int64}, 'UTC')"
        )
        parameters |= {"before_ns": before[0], "before_position": before[1]}
    found = store.rows(
        "SELECT toUnixTimestamp64Nano(time) AS time_ns, position, severity, host, service, source, template_id, "
        f"body, labels, trace_id, span_id, door FROM logs WHERE {where} "
        "ORDER BY time DESC, position DESC LIMIT {limit:UInt32}",
        parameters | {"limit": limit},
        limit_seconds=LIMIT,
    )
    return [Log(**row) for row in found]


def histogram(
    store: Store, window: Window, wanted: LogFilter = LogFilter(), *, buckets: int = 60
) -> list[Count]:
    """How many records there are in each bucket of time, by severity; buckets without any too."""
    where, parameters = _where(window, wanted)
    found = store.rows(
        "SELECT intDiv(toUnixTimestamp64Milli(time), {step:Int64}) * {step:Int64} AS at, "
        f"{_BANDS} AS band, count() AS n FROM logs WHERE {where} GROUP BY at, band",
        parameters | {"step": window.step_ms(buckets)},
        limit_seconds=LIMIT,
    )
    by_time: dict[int, dict[str, int]] = {at: {} for at in window.starts(buckets)}
    for row in found:
        by_time.setdefault(row["at"], {})[row["band"]] = row["n"]
    return [Count(at, counts) for at, counts in sorted(by_time.items())]


def templates(
    store: Store, window: Window, wanted: LogFilter = LogFilter(), *, limit: int = 100
) -> list[TemplateCount]:
    """Templates of the records found, the most frequent first."""
    where, parameters = _where(window, wanted)
    found = store.rows(
        "SELECT l.template_id AS template_id, t.text AS text, l.n AS count, l.first_ms AS first_ms, "
        "l.last_ms AS last_ms, l.worst AS severity, l.example AS example FROM ("
        "SELECT template_id, count() AS n, toUnixTimestamp64Milli(toDateTime64(min(time), 3, 'UTC')) AS first_ms, "
        "toUnixTimestamp64Milli(toDateTime64(max(time), 3, 'UTC')) AS last_ms, max(severity) AS worst, "
        f"any(body) AS example FROM logs WHERE {where} GROUP BY template_id "
        "ORDER BY n DESC, template_id LIMIT {limit:UInt32}) AS l "
        "LEFT JOIN (SELECT id, argMax(text, updated) AS text FROM templates GROUP BY id) AS t "
        "ON t.id = l.template_id ORDER BY count DESC, template_id",
        parameters | {"limit": limit},
        limit_seconds=LIMIT,
    )
    return [TemplateCount(**row) for row in found]


def _where(window: Window, wanted: LogFilter) -> tuple[str, dict[str, Any]]:
    conditions = [between("time", "Nano")]
    parameters: dict[str, Any] = {"from_ms": window.from_ms, "to_ms": window.to_ms}
    for column, values in (("host", wanted.hosts), ("service", wanted.services), ("source", wanted.sources)):
        if values:
            conditions.append(f"{column} IN {{{column}:Array(String)}}")
            parameters[column] = list(values)
    if wanted.min_severity:
        conditions.append("severity >= {min_severity:UInt8}")
        parameters["min_severity"] = wanted.min_severity
    if wanted.templates:
        conditions.append("template_id IN {templates:Array(UInt64)}")
        parameters["templates"] = list(wanted.templates)
    if wanted.trace_id:
        conditions.append("trace_id = {trace_id:String}")
        parameters["trace_id"] = wanted.trace_id
    for i, (label, value) in enumerate(wanted.labels.items()):
        conditions.append(f"labels[{{label{i}:String}}] = {{value{i}:String}}")
        parameters |= {f"label{i}": label, f"value{i}": value}
    for i, (sign, term) in enumerate(_terms(wanted.text)):
        condition, bound = _contains(term, f"term{i}")
        conditions.append(f"NOT ({condition})" if sign else condition)
        parameters |= bound
    return " AND ".join(conditions), parameters


def _terms(text: str) -> list[tuple[bytes, bytes]]:
    """Each term of a search with its sign, quotes taken off."""
    return [(m[1], m[2] if m[2] is not None else m[3]) for m in _TERM.finditer(text.encode()) if m[2] or m[3]]


def _contains(term: bytes, name: str) -> tuple[str, dict[str, str]]:
    """The condition that a term occurs in a body, and what it binds. A whole token is asked for by itself,
    because the index knows tokens alone."""
    bare = term.strip(b"*")
    tokens = [m for m in _TOKEN.finditer(bare)]
    if term.startswith(b"*"):
        tokens = [m for m in tokens if m.start() > 0]
    if term.endswith(b"*"):
        tokens = [m for m in tokens if m.end() < len(bare)]
    conditions = [f"position(lower(body), {{{name}:String}}) > 0"]
    bound = {name: bare.lower().decode()}  # bytes, so that ASCII alone changes, as in ClickHouse's lower()
    for i, token in enumerate(tokens):
        conditions.append(f"hasToken(lower(body), {{{name}_{i}:String}})")
        bound[f"{name}_{i}"] = token[0].lower().decode()
    return " AND ".join(conditions), bound
