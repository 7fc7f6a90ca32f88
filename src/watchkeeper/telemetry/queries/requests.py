"""What spans tell of the requests that services answered: how many, how many failed, how long they took (RED). A
request is a span of the kind server or consumer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchkeeper.telemetry.queries.window import LIMIT, Window, between
from watchkeeper.telemetry.store import Store

_ANSWERED = "kind IN ('server', 'consumer')"


class Requests(msgspec.Struct, frozen=True):
    """One service in buckets: where each begins, requests a second, the share of them that failed (0 to 1), and how
    long half, 95 % and 99 % of them took at most, in seconds. Buckets without a request are left out."""

    service: str
    times_ms: list[int]
    rate: list[float]
    errors: list[float]
    p50: list[float]
    p95: list[float]
    p99: list[float]


def requests(
    store: Store, window: Window, step_ms: int, *, of: Sequence[str] = (), most: int = 50
) -> list[Requests]:
    """The services that answered most, or those of `of`, in order of their names. Raises TelemetryError."""
    chosen = "AND service IN {of:Array(String)}" if of else ""
    found = store.rows(
        f"""
        SELECT service, intDiv(toUnixTimestamp64Milli(start), {{step:Int64}}) * {{step:Int64}} AS at,
               count() AS n, countIf(status = 'error') AS failed,
               quantilesTDigest(0.5, 0.95, 0.99)(duration_ns / 1e9) AS took
        FROM spans WHERE {between("start", "Nano")} AND {_ANSWERED} {chosen} AND service IN (
            SELECT service FROM spans WHERE {between("start", "Nano")} AND {_ANSWERED} {chosen}
            GROUP BY service ORDER BY count() DESC, service LIMIT {{most:UInt32}})
        GROUP BY service, at ORDER BY service, at
        """,
        {"from_ms": window.from_ms, "to_ms": window.to_ms, "step": step_ms, "of": list(of), "most": most},
        limit_seconds=LIMIT,
    )
    out: dict[str, Requests] = {}
    for row in found:
        one = out.setdefault(row["service"], Requests(row["service"], [], [], [], [], [], []))
        one.times_ms.append(row["at"])
        one.rate.append(row["n"] / (step_ms / 1000))
        one.errors.append(row["failed"] / row["n"])
        for name, value in zip(("p50", "p95", "p99"), row["took"], strict=True):
            getattr(one, name).append(value)
    return list(out.values())


def answering_services(store: Store, window: Window, *, most: int = 200) -> list[str]:
    """Names of the services that answered a request in the window. Raises TelemetryError."""
    found = store.rows(
        f"SELECT DISTINCT service FROM spans WHERE {between('start', 'Nano')} AND {_ANSWERED} AND service != '' "
        "ORDER BY service LIMIT {most:UInt32}",
        {"from_ms": window.from_ms, "to_ms": window.to_ms, "most": most},
        limit_seconds=LIMIT,
    )
    return [row["service"] for row in found]
