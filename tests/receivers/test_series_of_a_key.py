"""A key may begin so many new series: what explodes is refused to its sender with its reason, by remote write and by OTLP,
and everybody else, and the sender's own known series, go on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.receivers.front_harness import SECRET, Reply, RunningFront
from tests.receivers.remote_write_messages import packed, request
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import TooManySeries
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.remote_write import RemoteWriteDoor
from watchkeeper.receivers.series import SeriesTable

THREE = IntakeKey(id="1", name="three", series=3)


class Front(RunningFront):
    """With remote write beside the others, over the same table of series."""

    async def _serve(self) -> None:
        self._rows.append(RemoteWriteDoor(self.series).row())
        await super()._serve()


@pytest.fixture
def front(tmp_path: Any) -> Iterator[Front]:
    running = Front(tmp_path)
    yield running
    running.stop()


def write(front: Front, users: range, key: str, name: str = "requests") -> Reply:
    now = time.time_ns() // 1_000_000
    message = request([({"__name__": name, "user": str(n)}, [(1.0, now)]) for n in users])
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    return front.call("POST", "/api/v1/write", packed(message), headers, key=key)


def export(front: Front, users: range, key: str, name: str = "requests") -> Reply:
    at = str(time.time_ns())
    points = [
        {"asDouble": 1, "timeUnixNano": at, "attributes": [{"key": "user", "value": {"stringValue": str(n)}}]}
        for n in users
    ]
    scope = {"metrics": [{"name": name, "gauge": {"dataPoints": points}}]}
    document = {"resourceMetrics": [{"scopeMetrics": [scope]}]}
    return front.call(
        "POST", "/v1/metrics", json.dumps(document).encode(), {"Content-Type": "application/json"}, key=key
    )


def test_remote_write_takes_what_is_known_and_refuses_the_explosion(front: Front) -> None:
    assert write(front, range(3), "three-series").status == 204
    part = write(front, range(5), "three-series")
    assert (
        part.status == 400
        and b"3 samples taken, 2 refused" in part.body
        and b"'three' may begin 3" in part.body
    )
    refused = write(front, range(10, 20), "three-series")
    assert (refused.status, refused.json()["reason"]) == (429, "too_many_series")
    assert int(refused.headers["Retry-After"]) >= 1
    assert write(front, range(3), "three-series").status == 204, "its known series go on"
    assert write(front, range(10, 40), SECRET).status == 204, "and so does everybody else"
    assert write(front, range(10, 12), "three-series").status == 204, "what others have begun is not new"
    assert front.stats("remote_write")["rejected"]["too_many_series"] == 3
    assert len(front.rows(Stream.SERIES)) == 33


def test_otlp_takes_what_is_known_and_refuses_the_explosion(front: Front) -> None:
    part = export(front, range(5), "three-series")
    assert (part.status, part.json()["partialSuccess"]["rejectedDataPoints"]) == (200, "2")
    refused = export(front, range(10, 20), "three-series")
    assert refused.status == 429 and "too_many_series" in refused.json()["message"]
    assert export(front, range(3), "three-series").json() == {}
    assert export(front, range(10, 40), SECRET).json() == {}
    assert front.stats("otlp")["rejected"]["too_many_series"] == 3


def test_a_body_that_is_decoded_in_a_thread_counts_too(front: Front) -> None:
    part = export(front, range(2000), "three-series")
    assert part.json()["partialSuccess"]["rejectedDataPoints"] == "1997"
    assert export(front, range(5000, 5001), SECRET).json() == {}


def test_a_key_begins_anew_with_a_generation() -> None:
    table = SeriesTable(period_ms=1000)
    table.age(0)

    def begin(names: str) -> None:
        with table.on_behalf(THREE):
            for name in names:
                table.lookup(name, {}, "gauge", "", "x")

    begin("abc")
    with pytest.raises(TooManySeries, match="'three' may begin 3 series"):
        begin("d")
    table.age(1000)
    begin("abcdef")  # half of them are known
    with pytest.raises(TooManySeries):
        begin("g")
    table.lookup("h", {}, "gauge", "", "x")  # on nobody's behalf
