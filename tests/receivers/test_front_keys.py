"""Keys that do not come in a header: behind the path, or in the body; and doors that tell keys apart."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.receivers.front_harness import SECRET, RunningFront
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import Malformed, Unauthorised
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import events
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.http import HttpDoor, Taken

JSON = {"Content-Type": "application/json"}


def said(body: bytes, now_ms: int, door: str) -> Taken:
    try:
        name = json.loads(body)["name"]
    except (ValueError, KeyError) as error:
        raise Malformed("no name") from error
    return Taken(
        [(Stream.EVENTS, events.batch(door, events.rows([Reported(name=name, labels={})], now_ms), now_ms))]
    )


def decode(body: bytes, _: str, now_ms: int) -> Taken:
    return said(body, now_ms, "keyed")


def decode_for(key: IntakeKey, body: bytes, _: str, now_ms: int) -> Taken:
    return said(body, now_ms, f"of {key.name}")


def routing_key(body: bytes) -> str:
    try:
        return str(json.loads(body)["routing_key"])
    except (ValueError, KeyError) as error:
        raise Unauthorised("the body has no routing_key") from error


DOORS = [
    HttpDoor("keyed", "POST", "/intake/keyed", ("application/json",), decode, keyed=True),
    HttpDoor(
        "told", "POST", "/intake/told", ("application/json",), decode, keyed=True, decode_for=decode_for
    ),
    HttpDoor("inside", "POST", "/v2/inside", ("application/json",), decode, key_in=routing_key, most=4096),
]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("keys"), doors=DOORS)
    yield running
    running.stop()


def post(front: RunningFront, path: str, body: dict[str, str], key: str | None = None) -> int:
    return front.call("POST", path, json.dumps(body).encode(), JSON, key=key).status


def test_a_key_behind_the_path_is_as_good_as_one_in_a_header(front: RunningFront) -> None:
    assert post(front, f"/intake/keyed/{SECRET}", {"name": "behind"}) == 204
    assert post(front, f"/intake/keyed/{SECRET}/?x=y", {"name": "behind and more"}) == 204
    assert post(front, "/intake/keyed", {"name": "header"}, SECRET) == 204
    assert post(front, "/intake/keyed", {"name": "none"}) == 401
    assert post(front, "/intake/keyed/wrong", {"name": "wrong"}) == 401
    assert post(front, f"/intake/keyed/{SECRET}/more", {"name": "deeper"}) not in (200, 204)
    names = {r["name"] for r in front.rows(Stream.EVENTS) if r["door"] == "keyed"}
    assert names == {"behind", "behind and more", "header"}


def test_other_doors_take_no_key_behind_their_path(front: RunningFront) -> None:
    assert post(front, f"/v2/inside/{SECRET}", {"name": "x"}) not in (200, 202, 204)


def test_a_door_may_know_who_sends(front: RunningFront) -> None:
    assert post(front, f"/intake/told/{SECRET}", {"name": "x"}) == 204
    assert [r["door"] for r in front.rows(Stream.EVENTS) if r["door"].startswith("of ")] == ["of test"]


def test_a_key_in_the_body(front: RunningFront) -> None:
    assert post(front, "/v2/inside", {"name": "in", "routing_key": SECRET}) == 204
    assert post(front, "/v2/inside", {"name": "header"}, SECRET) == 204
    assert post(front, "/v2/inside", {"name": "none"}) == 401
    assert post(front, "/v2/inside", {"name": "wrong", "routing_key": "x"}) == 401
    assert post(front, "/v2/inside", {"routing_key": SECRET}) == 400


def test_a_stranger_may_send_little_and_nothing_of_it_is_kept(front: RunningFront) -> None:
    before = len(front.rows(Stream.DEAD_LETTERS))
    assert post(front, "/v2/inside", {"name": "long", "routing_key": "x" * 8000}) == 413
    assert front.call("POST", "/v2/inside", b"no json", JSON, key=None).status == 401
    assert len(front.rows(Stream.DEAD_LETTERS)) == before
