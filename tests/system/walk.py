"""The walk that every installation has to manage: traces tell of services, alerts come, one explained situation opens."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.platform import Platform
from tests.support import eventually

CAUSE = "vault-db"
ALERTS = {"till": "HighErrorRate", "ledger": "HighErrorRate", CAUSE: "DatabaseDown"}


def now(seconds: float = 0) -> str:
    """A time as senders write it."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat()


def traces() -> bytes:
    """Two services that each ask the database something."""
    request, start = ExportTraceServiceRequest(), time.time_ns()
    for service in ("till", "ledger"):
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        span = resource.scope_spans.add().spans.add(
            trace_id=bytes(15) + service[:1].encode(), span_id=bytes(7) + service[:1].encode(), name="SELECT",
            kind=3, start_time_unix_nano=start, end_time_unix_nano=start + 10**6,
        )  # fmt: skip
        span.attributes.add(key="peer.service").value.string_value = CAUSE
        span.attributes.add(key="db.system.name").value.string_value = "postgresql"
    return bytes(request.SerializeToString())


def outage() -> list[dict[str, Any]]:
    """All three complain."""
    return [
        {"labels": {"alertname": name, "service_name": service, "severity": "critical"},
         "annotations": {"summary": f"{service} is in trouble"}, "startsAt": now()}
        for service, name in ALERTS.items()
    ]  # fmt: skip


def situation_of(platform: Platform, label: str, values: set[str]) -> dict[str, Any] | None:
    """The situation whose alerts carry all of these values in this label."""
    for situation in platform.get("/api/situations/?limit=50")["results"]:
        alerts = platform.get(f"/api/situations/{situation['id']}/alerts/?limit=200")["results"]
        if values <= {a["labels"].get(label) for a in alerts}:
            found: dict[str, Any] = situation
            return found
    return None


def from_signals_to_a_situation(platform: Platform) -> dict[str, Any]:
    """Walk it: the situation, as open, with the database as its first cause; then all is resolved again."""
    assert platform.send("/v1/traces", traces(), "application/x-protobuf").status == 200
    eventually(lambda: platform.get(f"/api/items/?search={CAUSE}")["count"], 60)
    alerts = outage()
    assert platform.alerts(*alerts).status == 200
    situation = eventually(lambda: situation_of(platform, "service_name", set(ALERTS)), 60)
    assert situation["state"] == "open" and situation["alert_count"] == 3
    assert situation["severity"] == "critical" and situation["because"]
    first = situation["causes"][0]
    assert first["item"]["name"] == CAUSE, json.dumps(situation["causes"], indent=1)
    assert any(CAUSE in str(b) or "till" in str(b) for b in first["because"])

    done = platform.do(f"/api/situations/{situation['id']}/acknowledge/")
    assert done.status == 200 and done.json()["state"] == "acknowledged"
    assert platform.alerts(*({**a, "endsAt": now()} for a in alerts)).status == 200
    eventually(lambda: platform.get("/api/alerts/?status=firing&search=in%20trouble")["count"] == 0, 60)
    return situation
