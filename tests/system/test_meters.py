"""A maintenance plan by a meter, from samples that come in through doors to its work orders."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.platform import Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually

MINUTE_MS = 60_000


def _otlp(platform: Platform, name: str, hours: float) -> None:
    """A gauge of a service as OpenTelemetry sends it, measured now."""
    point = {"timeUnixNano": str(time.time_ns()), "asDouble": hours}
    metric = {"name": "run.hours", "unit": "h", "gauge": {"dataPoints": [point]}}
    of = {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]}
    body = {"resourceMetrics": [{"resource": of, "scopeMetrics": [{"metrics": [metric]}]}]}
    assert platform.send("/v1/metrics", json.dumps(body).encode()).status == 200


def _remote_write(platform: Platform, name: str, hours: float, minutes_ago: int) -> None:
    at = int(time.time() * 1000) - minutes_ago * MINUTE_MS
    labels = {"__name__": "run_hours", "host": name}
    answer = platform.send("/api/v1/write", packed(request([(labels, [(hours, at)])])), "application/x-protobuf",
                           Content_Encoding="snappy")  # fmt: skip
    assert answer.status in (200, 204), answer.body


def _measured(platform: Platform, query: str, last: int = 120) -> Any:
    """Whether telemetry has it, as Prometheus' readers ask."""
    now = time.time()
    url = f"/api/v1/query_range?query={query}&start={now - last * 60}&end={now}&step=60"
    return eventually(lambda: platform.get(url)["data"]["result"], 30)


def _planned(platform: Platform, item: str, query: str) -> str:
    made = platform.do("/api/maintenance-plans/", {"name": f"Service {item}", "trigger": "meter", "query": query,
                                                   "every": 500, "items": [item], "checklist": "oil"})  # fmt: skip
    assert made.status == 201, made.body
    return f"/api/maintenance-plans/{made.json()['id']}"


def _item(platform: Platform, name: str) -> str:
    made = platform.do("/api/items/", {"kind": "host", "name": name})
    assert made.status == 201, made.body
    return str(made.json()["id"])


def _looked(platform: Platform, times: int) -> None:
    """Until the plans have been looked at so often."""
    done = "/api/outbox/?kind=maintenance-plan&state=done"
    eventually(lambda: platform.get(done)["count"] >= times, 30)


def _orders(platform: Platform, plan: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = platform.get(f"{plan}/work-orders/")["results"]
    return found


def test_a_meter_that_is_sent_in_raises_an_order_each_time_it_has_grown(platform: Platform) -> None:
    pump = _item(platform, "pump-7")
    _otlp(platform, "pump-7", 480.0)
    _measured(platform, "%7B%22run.hours%22%7D")
    plan = _planned(platform, pump, '{"run.hours", "service.name"="$item"}')
    _looked(platform, 1)
    assert not _orders(platform, plan), "480 hours are no 500"
    _otlp(platform, "pump-7", 1012.5)
    eventually(lambda: "1012.5" in json.dumps(platform.get("/api/v1/query?query=%7B%22run.hours%22%7D")), 30)
    platform.do(f"{plan}/", {"description": "Change the oil"}, "PATCH")  # which has it looked at at once
    (order,) = eventually(lambda: _orders(platform, plan), 30)
    assert (order["kind"], order["item"], order["checklist"]) == ("preventive", pump, "[ ] oil")
    assert order["description"].startswith("Its meter is at 1,012.5; it is due every 500.")
    platform.do(f"{plan}/", {"description": "Change the oil and the filter"}, "PATCH")
    _looked(platform, 3)
    assert len(_orders(platform, plan)) == 1, "the same occurrence"


def test_a_meter_that_is_told_once_an_hour_is_not_missed(platform: Platform) -> None:
    crane = _item(platform, "crane-2")
    _remote_write(platform, "crane-2", 730.0, minutes_ago=50)
    _measured(platform, "run_hours")
    plan = _planned(platform, crane, 'run_hours{host="$item"}')
    (order,) = eventually(lambda: _orders(platform, plan), 30)
    assert order["description"].startswith("Its meter is at 730; it is due every 500.")
