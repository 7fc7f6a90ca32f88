"""Webhooks of other vendors, over HTTP, and against what can be had of them here: Alertmanager itself, and the scripts
that Zabbix, Icinga and Checkmk would run, taken from the set-up pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.receivers.front_harness import SECRET, RunningFront
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import webhooks
from watchkeeper.receivers.http import Entries, HttpDoor
from watchkeeper.receivers.webhooks import cloudevents, cloudwatch

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
NOW = 1_795_385_321_000
DOORS = {
    d.name: d for d in webhooks.doors() if d.decode_for is None
}  # what each key has its own way through is apart
JSON = {"Content-Type": "application/json"}


class Visits:
    """What the CloudWatch door wants visited, and what is to be journalled after that."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Entries]] = []

    def __call__(self, url: str, after: Entries) -> None:
        self.seen.append((url, after))


@pytest.fixture(scope="module")
def visits() -> Visits:
    return Visits()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, visits: Visits) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("webhooks"), doors=webhooks.doors(visits))
    yield running
    running.stop()


def post(
    front: RunningFront, path: str, body: Any, headers: dict[str, str] = JSON, key: str | None = None
) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return front.call("POST", path, data, headers, key=key)


@pytest.mark.parametrize("door", DOORS.values(), ids=lambda d: d.name)
def test_every_vendor_has_a_door_that_takes_a_key_behind_its_path(
    front: RunningFront, door: HttpDoor
) -> None:
    capture = next(
        p
        for p in sorted((CAPTURES / door.name).iterdir())
        if "firing" in p.name and ".expected" not in p.name
    )
    body, headers = capture.read_bytes(), {"Content-Type": door.content_types[0]}
    if capture.suffix == ".http":
        head, _, body = body.partition(b"\n\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    before = front.stats(door.name)["rows"]
    assert post(front, f"{door.path}/{SECRET}", body, headers).status == 204
    assert post(front, door.path, body, headers, SECRET).status == 204
    assert post(front, door.path, body, headers).status == 401
    assert post(front, f"{door.path}/{SECRET}x", body, headers).status == 401
    assert front.stats(door.name)["rows"] >= before + 2
    assert {r["door"] for r in front.rows(Stream.EVENTS)} >= {door.name}


@pytest.mark.parametrize("door", DOORS.values(), ids=lambda d: d.name)
def test_what_is_no_message_is_told_so_and_kept(front: RunningFront, door: HttpDoor) -> None:
    before = front.stats(door.name)
    answer = post(front, f"{door.path}/{SECRET}", b'{"a":', {"Content-Type": door.content_types[0]})
    assert (answer.status, answer.json()["reason"]) == (400, "malformed")
    after = front.stats(door.name)
    assert after["rejected"]["malformed"] == before["rejected"].get("malformed", 0) + 1
    assert after["dead_letters"] == before["dead_letters"] + 1
    assert after["rows"] == before["rows"]
    deep = post(front, f"{door.path}/{SECRET}", b"[" * 60_000, {"Content-Type": door.content_types[0]})
    assert deep.status == 400
    bomb = post(
        front, f"{door.path}/{SECRET}", b"[" + b"{}," * 400_000 + b"{}]", {"Content-Type": "application/json"}
    )
    assert bomb.status in (400, 413)


def test_events_with_attributes_in_headers(front: RunningFront) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "deploy",
        "ce-source": "ci",
        "ce-id": "1",
        "ce-service": "shop",
    }
    assert post(front, f"/intake/cloudevents/{SECRET}", b"", headers).status == 204
    row = next(r for r in front.rows(Stream.EVENTS) if r["name"] == "deploy")
    assert (row["kind"], json.loads(row["labels"])["service"]) == ("change", "shop")


def test_amazon_is_visited_once_the_question_is_on_disk(front: RunningFront, visits: Visits) -> None:
    visits.seen.clear()
    plain = {"Content-Type": "text/plain; charset=UTF-8"}
    body = (CAPTURES / "cloudwatch/subscription.txt").read_bytes()
    assert post(front, f"/intake/cloudwatch/{SECRET}", body, plain).status == 204
    ((url, after),) = visits.seen
    assert url == json.loads(body)["SubscribeURL"]
    waiting = [r for r in front.rows(Stream.EVENTS) if r["name"].startswith("SNS subscription")]
    assert (waiting[-1]["status"], waiting[-1]["url"]) == ("firing", url)
    ((stream, over),) = after
    assert stream is Stream.EVENTS and over.to_pylist()[0]["labels"] == waiting[-1]["labels"]
    assert over.to_pylist()[0]["status"] == "resolved"


@pytest.mark.parametrize("url", [
    "http://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
    "https://evil.example/?x=https://sns.us-west-2.amazonaws.com/",
    "https://sns.us-west-2.amazonaws.com.evil.example/?Action=ConfirmSubscription",
    "https://sns.us-west-2.amazonaws.com@evil.example/?Action=ConfirmSubscription",
    "https://sns.us-west-2.amazonaws.com:8443/?Action=ConfirmSubscription",
    "https://bucket.s3.amazonaws.com/?Action=ConfirmSubscription",
    "https://sns.us-west-2.amazonaws.com\\@evil.example/?Action=ConfirmSubscription",
    "https://sns.us-west-2.amazonaws.com/?Action=x\r\nHost: evil.example",
    "https://sns.us-west-2.amazonaws.com/?Action=x\n",
    "https://sns.us-wést-2.amazonaws.com/?Action=x",
    "https://sns.us-west-2.evil.amazonaws.com/?Action=x",
    "https://169.254.169.254/?sns.us-west-2.amazonaws.com",
    "",
])  # fmt: skip
def test_nobody_else_is_visited(front: RunningFront, visits: Visits, url: str) -> None:
    visits.seen.clear()
    body = {"Type": "SubscriptionConfirmation", "TopicArn": "arn:x", "SubscribeURL": url}
    answer = post(front, f"/intake/cloudwatch/{SECRET}", body)
    assert (answer.status, answer.json()["reason"]) == (400, "foreign_address")
    assert not visits.seen


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def mutated(door: HttpDoor) -> st.SearchStrategy[bytes]:
    """The captured bodies of a door, with members of any depth replaced by anything."""
    bodies = [p.read_bytes().partition(b"\n\n")[2] if p.suffix == ".http" else p.read_bytes()
              for p in (CAPTURES / door.name).iterdir() if ".expected" not in p.name and p.suffix != ".form"]  # fmt: skip

    @st.composite
    def one(draw: st.DrawFn) -> bytes:
        text = draw(st.sampled_from(bodies))
        try:
            value = json.loads(text)
        except ValueError:
            return text
        holder: list[Any] = [value]
        at: Any = holder
        key: Any = 0
        while isinstance(at[key], dict | list) and at[key] and draw(st.booleans()):
            at, key = (
                at[key],
                draw(st.sampled_from(list(at[key]) if isinstance(at[key], dict) else range(len(at[key])))),
            )
        at[key] = draw(documents)
        return json.dumps(holder[0]).encode("utf-8", "surrogatepass")

    return one()


@pytest.mark.parametrize("door", DOORS.values(), ids=lambda d: d.name)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_are_taken_or_refused_with_an_error_of_ours(door: HttpDoor, data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=200) | mutated(door) if door.name != "checkmk" else st.binary())
    for content_type in door.content_types:
        try:
            taken = door.decode(body, content_type, NOW)
        except WatchkeeperError as error:
            assert 400 <= error.status < 500
        else:
            assert all(batch.num_rows for _, batch in taken.entries)


def test_a_topic_that_was_left_is_no_alarm() -> None:
    body = (CAPTURES / "cloudwatch/unsubscribed.txt").read_bytes()
    assert cloudwatch.door().decode(body, "text/plain", NOW).entries == []


attributes = st.dictionaries(
    st.sampled_from(
        ["ce-id", "ce-source", "ce-type", "CE-Subject", "ce-time", "ce-status", "ce-dedupkey", "ce-", "x"]
    ),
    st.text(max_size=10) | st.just("%F0%28%8C%28"),
)


@settings(max_examples=200, deadline=None)
@given(
    attributes,
    st.binary(max_size=40) | documents.map(lambda d: json.dumps(d).encode("utf-8", "surrogatepass")),
)
def test_any_headers_make_an_event_or_an_error_of_ours(headers: dict[str, str], body: bytes) -> None:
    given = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t", **headers}
    try:
        taken = cloudevents.take(given, body, "application/json", NOW)
    except WatchkeeperError as error:
        assert error.reason in ("no_event", "malformed")
    else:
        assert taken.rows == 1
