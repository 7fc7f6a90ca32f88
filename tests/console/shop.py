"""A small shop: three services that need one database, told to a platform through its doors, as senders do."""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from typing import Any

from tests.platform import Platform
from tests.support import eventually

NEEDS = {"storefront": ("checkout",), "checkout": ("orders-db", "mailer"), "billing": ("orders-db",)}
STEP = 30  # seconds between two measurements
POINTS = 260  # two hours and a little more


def send(platform: Platform) -> None:
    """Everything, until it can be seen: dependencies, measurements, log lines, alerts, and rubbish."""
    post(platform, "/v1/traces", traces())
    eventually(lambda: platform.get("/api/items/?search=orders-db")["count"], 30)
    post(platform, "/v1/metrics", metrics())
    post(platform, "/v1/logs", logs())
    assert platform.alerts(*outage()).status == 200
    assert platform.alerts(alert("PaperOut", "label-printer", "warning", "The tray is empty")).status == 200
    assert platform.send("/api/v2/alerts", b"{not json").status == 400
    eventually(lambda: situation_of(platform, "DatabaseDown"), 40)


def situation_of(platform: Platform, alertname: str) -> dict[str, Any] | None:
    """The open situation that an alert of this name belongs to."""
    for found in platform.get(f"/api/alerts/?status=firing&name={alertname}")["results"]:
        if found["situation"]:
            situation: dict[str, Any] = platform.get(f"/api/situations/{found['situation']}/")
            return situation
    return None


def outage() -> list[dict[str, Any]]:
    """The database is down and all who need it complain, for longer than any tests take."""
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    told = [
        alert("DatabaseDown", "orders-db", "critical", "orders-db does not accept connections"),
        alert("HighErrorRate", "checkout", "error", "27 % of the requests to checkout fail"),
        alert("HighErrorRate", "storefront", "warning", "9 % of the requests to storefront fail"),
        alert("PaymentsStuck", "billing", "error", "No payment was booked for 5 minutes"),
    ]
    return [{**a, "endsAt": ends} for a in told]


def alert(name: str, service: str, severity: str, summary: str, **labels: str) -> dict[str, Any]:
    """One alert as Prometheus posts it, firing from now on."""
    return {
        "labels": {"alertname": name, "service_name": service, "severity": severity, **labels},
        "annotations": {"summary": summary, "runbook_url": f"https://wiki.example.org/{name}"},
        "startsAt": dt.datetime.now(dt.UTC).isoformat(),
        "generatorURL": f"http://prometheus.example.org/graph?g0.expr={name}",
    }


def post(platform: Platform, path: str, body: dict[str, Any]) -> None:
    """One OTLP request as JSON."""
    answer = platform.send(path, json.dumps(body).encode())
    assert answer.status == 200, answer.body


def _text(**pairs: str) -> list[dict[str, Any]]:
    return [{"key": k.replace("_", "."), "value": {"stringValue": v}} for k, v in pairs.items()]


def traces() -> dict[str, Any]:
    """One client span for every dependency."""
    now, groups = time.time_ns(), []
    for n, (service, needed) in enumerate(NEEDS.items(), 1):
        spans = [
            {"traceId": f"{n:032x}", "spanId": f"{n * 16 + m:016x}", "name": f"call {peer}", "kind": 3,
             "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 5_000_000),
             "attributes": _text(peer_service=peer)}
            for m, peer in enumerate(needed, 1)
        ]  # fmt: skip
        groups.append(
            {"resource": {"attributes": _text(service_name=service)}, "scopeSpans": [{"spans": spans}]}
        )
    return {"resourceSpans": groups}


def metrics() -> dict[str, Any]:
    """Two calm hours and then some minutes of trouble, of the database and of checkout."""
    end = time.time()

    def gauge(name: str, unit: str, usual: float, trouble: float) -> dict[str, Any]:
        points = []
        for i in range(POINTS):
            value = trouble if i >= POINTS - 8 else usual * (1 + 0.03 * math.sin(i) + 0.01 * math.cos(7 * i))
            at = int((end - (POINTS - 1 - i) * STEP) * 1e9)
            points.append({"timeUnixNano": str(at), "asDouble": value})
        return {"name": name, "unit": unit, "gauge": {"dataPoints": points}}

    def of(service: str, *found: dict[str, Any]) -> dict[str, Any]:
        return {
            "resource": {"attributes": _text(service_name=service)},
            "scopeMetrics": [{"metrics": list(found)}],
        }

    return {
        "resourceMetrics": [
            of(
                "orders-db",
                gauge("db.client.connection.use_time", "s", 0.02, 4.5),
                gauge("db.buffer.size", "By", 3.2e9, 3.2e9),
                gauge("db.cache.hit_ratio", "1", 0.97, 0.31),
            ),
            of("checkout", gauge("http.server.request.duration", "s", 0.12, 6.0)),
        ]
    }


def logs() -> dict[str, Any]:
    """Lines of checkout and of the database, some of them errors."""
    now = time.time_ns()

    def line(ago: float, severity: int, body: str) -> dict[str, Any]:
        return {"timeUnixNano": str(now - int(ago * 1e9)), "severityNumber": severity,
                "body": {"stringValue": body}}  # fmt: skip

    def of(service: str, *lines: dict[str, Any]) -> dict[str, Any]:
        attributes = _text(service_name=service, host_name="shop-1.example.org")
        return {"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": list(lines)}]}

    errors = [line(i, 17, f"could not reach orders-db: connection {4100 + i} refused") for i in range(25)]
    hello = [line(120 + i, 9, f"order {7000 + i} was placed in {20 + i} ms") for i in range(130)]
    fatal = line(30, 21, "PANIC: could not write to file pg_wal/xlogtemp.4711: No space left on device")
    return {"resourceLogs": [of("checkout", *hello, *errors), of("orders-db", fatal)]}
