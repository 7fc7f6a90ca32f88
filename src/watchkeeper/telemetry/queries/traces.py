"""Spans of a trace, and which service calls which."""

from __future__ import annotations

import msgspec

from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

MAX_SPANS = 5000


class Span(msgspec.Struct, frozen=True):
    """One span. `peer` is whom a client calls, where no span of the called says so."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start_ns: int
    duration_ns: int
    status: str
    host: str
    peer: str
    labels: dict[str, str]


class Edge(msgspec.Struct, frozen=True):
    """Calls from one service to another. Durations are of the called side, in milliseconds."""

    caller: str
    called: str
    calls: int
    errors: int
    mean_ms: float
    p95_ms: float


def trace(store: Store, trace_id: str) -> list[Span]:
    """Spans of a trace in order of their start, at most MAX_SPANS."""
    found = store.rows(
        "SELECT trace_id, span_id, parent_id, service, name, kind, toUnixTimestamp64Nano(start) AS start_ns, "
        "duration_ns, status, host, peer, labels FROM spans WHERE trace_id = {trace_id:String} "
        f"ORDER BY start, span_id LIMIT {MAX_SPANS}",
        {"trace_id": trace_id},
        limit_seconds=LIMIT,
    )
    return [Span(**row) for row in found]


def service_edges(store: Store, window: Window) -> list[Edge]:
    """Which service called which in the window: a span whose parent is another service's, or a client's span
    with a named peer that has no span of its own."""
    found = store.rows(
        f"""
        WITH recent AS (
            SELECT trace_id, span_id, parent_id, service, kind, duration_ns, status, peer
            FROM spans WHERE {between("start", "Nano")}
        )
        SELECT caller, called, count() AS calls, countIf(status = 'error') AS errors,
               avg(duration_ns) / 1e6 AS mean_ms, quantile(0.95)(duration_ns) / 1e6 AS p95_ms
        FROM (
            SELECT p.service AS caller, c.service AS called, c.duration_ns AS duration_ns, c.status AS status
            FROM recent AS c INNER JOIN recent AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_id
            WHERE p.service != c.service
            UNION ALL
            SELECT c.service, c.peer, c.duration_ns, c.status
            FROM recent AS c LEFT ANTI JOIN recent AS p ON p.trace_id = c.trace_id AND p.parent_id = c.span_id
            WHERE c.kind IN ('client', 'producer') AND c.peer != ''
        )
        GROUP BY caller, called ORDER BY calls DESC, caller, called
        """,
        {"from_ms": window.from_ms, "to_ms": window.to_ms},
        limit_seconds=LIMIT,
    )
    return [Edge(**row) for row in found]
