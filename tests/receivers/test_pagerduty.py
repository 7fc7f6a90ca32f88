"""PagerDuty's Events API: its own Python client against the front, its answers, its limits, and rubbish."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pagerduty
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.receivers.certificates import Authority, TlsProxy
from tests.receivers.front_harness import SECRET, RunningFront
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import fingerprint
from watchkeeper.receivers.pagerduty import LARGEST, NAME, PagerDutyDoor

JSON = {"Content-Type": "application/json"}
PAGES = Path(__file__).parents[2] / "docs/how-to/doors"
ADDRESS = "https://127.0.0.1:8080"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("pagerduty"))
    yield running
    running.stop()


@pytest.fixture
def client(front: RunningFront, tmp_path: Path) -> Iterator[pagerduty.EventsApiV2Client]:
    """As the page says: it speaks to nobody but by HTTPS."""
    authority = Authority(tmp_path)
    proxy = TlsProxy(authority, front.port)
    text = (PAGES / "pagerduty.md").read_text()
    assert f'EventsApiV2Client("YOUR-INTAKE-KEY", base_url="{ADDRESS}")' in text
    trusted = ssl.create_default_context(cafile=str(authority.ca))
    url = ADDRESS.replace("8080", str(proxy.port))
    with pagerduty.EventsApiV2Client(SECRET, base_url=url, verify=trusted) as client:
        yield client
    proxy.close()


def post(front: RunningFront, body: Any, path: str = "/v2/enqueue", **options: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = front.call("POST", path, data, JSON, **{"key": None, **options})
    return reply.status, reply.json()


def trigger(**more: Any) -> dict[str, Any]:
    payload = {"summary": "API errors", "severity": "error", "source": "api-1"}
    return {"routing_key": SECRET, "event_action": "trigger", "payload": payload, **more}


def events(front: RunningFront, dedup_key: str) -> list[dict[str, Any]]:
    found = [{**r, "labels": json.loads(r["labels"])} for r in front.rows(Stream.EVENTS) if r["door"] == NAME]
    return [r for r in found if r["labels"].get("dedup_key") == dedup_key]


def test_pagerdutys_client(front: RunningFront, client: pagerduty.EventsApiV2Client) -> None:
    key = client.trigger(
        "DISK at 99%", "db-1.example.com", severity="critical", custom_details={"free": "1%", "tries": 3},
        links=[{"href": "https://runbooks.example.com/disk", "text": "Runbook"}],
    )  # fmt: skip
    assert key
    assert client.acknowledge(key) == key
    assert client.resolve(key) == key
    fired, ended = events(front, key)
    assert (fired["status"], fired["severity"], fired["summary"]) == ("firing", "critical", "DISK at 99%")
    assert fired["labels"]["instance"] == "db-1.example.com"
    assert json.loads(fired["annotations"])["tries"] == "3"
    assert fired["url"] == "https://runbooks.example.com/disk"
    assert (ended["status"], ended["kind"]) == ("resolved", "alert")
    same = {fingerprint(r["name"], r["labels"], r["door"]) for r in (fired, ended)}
    acts = [json.loads(r["document"]) for r in front.rows(Stream.ACTS)]
    assert [(a["kind"], a["actor"]) for a in acts if {a["target"]} == same] == [("acknowledge", "test")]


def test_pagerdutys_client_tells_of_a_change(
    front: RunningFront, client: pagerduty.EventsApiV2Client
) -> None:
    client.submit(
        "Deployed 7.3", "ci-1", {"service": "checkout"}, [{"href": "https://ci.example.com/7"}],
        timestamp="2026-11-22T22:07:58.315+0000",
    )  # fmt: skip
    (row,) = [r for r in front.rows(Stream.EVENTS) if r["kind"] == "change"]
    assert (row["name"], row["starts_ms"]) == ("Deployed 7.3", 1795385278315)
    assert json.loads(row["labels"]) == {"instance": "ci-1", "service": "checkout"}


def test_answers_are_pagerdutys(front: RunningFront) -> None:
    assert post(front, trigger(dedup_key="a/b")) == (
        202, {"status": "success", "message": "Event processed", "dedup_key": "a/b"},
    )  # fmt: skip
    _, made = post(front, trigger())
    _, other = post(front, trigger())
    assert made["dedup_key"] != other["dedup_key"]
    change = {"routing_key": SECRET, "payload": {"summary": "x"}}
    assert post(front, change, "/v2/change/enqueue") == (
        202, {"status": "success", "message": "Change event processed"},
    )  # fmt: skip
    status, said = post(front, {"routing_key": SECRET, "event_action": "trigger", "payload": {}})
    assert status == 400
    assert (said["status"], said["message"]) == ("invalid event", "Event object is invalid")
    assert "'payload.summary' is missing or blank" in said["errors"]
    status, said = post(front, b"{")
    assert status == 400 and said["message"] == "Event object format is unrecognized"
    assert said["errors"][0].startswith("JSON parse error")
    assert post(front, {"event_action": "trigger"})[0] == 401
    assert post(front, trigger(routing_key="wrong"))[0] == 401
    assert post(front, trigger(dedup_key="header") | {"routing_key": None}, key=SECRET)[0] == 202


def test_what_is_no_event_is_kept_and_counted(front: RunningFront) -> None:
    before = front.stats(NAME)["rejected"].get("invalid_event", 0)
    assert post(front, trigger(event_action="snooze"))[0] == 400
    assert front.stats(NAME)["rejected"]["invalid_event"] == before + 1
    letters = [r for r in front.rows(Stream.DEAD_LETTERS) if r["door"] == NAME]
    assert b"snooze" in letters[-1]["payload"]


def test_an_event_may_have_half_a_mebibyte(front: RunningFront) -> None:
    details = {"log": "x" * (LARGEST - 1000)}
    fits = trigger(payload={"summary": "s", "severity": "info", "source": "s", "custom_details": details})
    assert post(front, fits)[0] == 202
    details["log"] += "x" * 1000
    for key in (None, SECRET):
        status, said = post(front, fits, key=key)
        assert status == 413 and said["status"].startswith("too large")


def test_too_much_is_told_to_wait(front: RunningFront) -> None:
    body = trigger(routing_key="slow-secret")
    answers = [
        front.call("POST", "/v2/enqueue", json.dumps(body).encode(), JSON, key=None) for _ in range(60)
    ]
    (refused,) = {r.status for r in answers} - {202}
    last = next(r for r in answers if r.status == refused)
    assert refused == 429 and int(last.headers["Retry-After"]) >= 1
    assert last.json()["status"] == "throttle exceeded"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("event_action", "dedup_key", "payload", "links", "images", "client", "client_url")
INSIDE = ("summary", "severity", "source", "timestamp", "class", "custom_details")
EVENTS = st.fixed_dictionaries({}, optional={
    **dict.fromkeys(FIELDS, ANYTHING),
    "event_action": st.sampled_from(["trigger", "acknowledge", "resolve"]) | ANYTHING,
    "payload": st.fixed_dictionaries({}, optional=dict.fromkeys(INSIDE, ANYTHING)) | ANYTHING,
})  # fmt: skip


@given(st.binary(max_size=200) | EVENTS.map(lambda x: json.dumps(x).encode()))
def test_whatever_comes_becomes_rows_or_an_error_of_ours(body: bytes) -> None:
    door = PagerDutyDoor()
    for take in (door.change, lambda *a: door.event(IntakeKey("k", "k"), *a)):
        try:
            taken = take(body, "application/json", 1_795_385_321_000)
        except WatchkeeperError:
            continue
        assert taken.rows == 1
