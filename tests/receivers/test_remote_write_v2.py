"""Remote write 2.0: bodies made by Google's protobuf from the published fields, the same series as by 1.0, its answers,
and hostile bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.receivers.front_harness import RunningFront
from tests.receivers.remote_write_messages import Request, WriteRequest, packed, request, request_2
from tests.receivers.test_remote_write import (
    CAPTURES,
    NOW,
    STALE,
    comparable,
    door_and_table,
    expected,
    is_kept,
    rows,
    take,
)
from watchkeeper.model.errors import Malformed, TooLarge, UnsupportedMedia, WatchkeeperError
from watchkeeper.model.series import series_id
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.http import Taken
from watchkeeper.receivers.remote_write import RemoteWriteDoor

SECOND = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
HEADERS = {"Content-Type": SECOND, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "2.0.0"}
UP = {"__name__": "up", "instance": "a:1", "job": "node"}


def take_2(message: Any, door: RemoteWriteDoor | None = None) -> Taken:
    door = door or door_and_table()[0]
    return door.take(message.SerializeToString(), SECOND, NOW)


def written(reply: Any) -> tuple[str, ...]:
    names = ("Samples", "Histograms", "Exemplars")
    return tuple(reply.headers[f"X-Prometheus-Remote-Write-{name}-Written"] for name in names)


TEXT = st.text(min_size=1, max_size=8) | st.sampled_from(["a", "job", "instance", "up", "x" * 130, "y" * 300])
LABELS = st.dictionaries(TEXT.filter(lambda x: x != "__name__"), TEXT, max_size=5)
SETS = st.tuples(TEXT, LABELS).map(lambda x: dict(sorted({"__name__": x[0], **x[1]}.items())))
SAMPLES = st.lists(st.tuples(st.floats(allow_nan=False), st.integers(NOW - 10_000, NOW)), max_size=3)


@settings(deadline=None)
@given(st.lists(st.tuples(SETS, SAMPLES), max_size=6))
def test_the_same_as_by_the_first_version(
    series: list[tuple[dict[str, str], list[tuple[float, int]]]],
) -> None:
    first, second = request(series), request_2(series)
    door, table = door_and_table()
    for _ in range(2):
        assert sorted(rows(take_2(second, door))) == sorted(expected(first))
    assert sorted(rows(take(first, door))) == sorted(expected(first))
    declared = table.take_new()
    found = {
        r["id"]: json.loads(r["labels"]) | {"__name__": r["name"]}
        for r in (declared.to_pylist() if declared else [])
    }
    assert found == {series_id(labels): labels for labels, samples in series if samples}


def test_a_series_known_by_one_version_is_known_by_the_other() -> None:
    door, table = door_and_table()
    series = [({**UP, "instance": f"{i}:1"}, [(float(i), NOW)]) for i in range(5000)]
    take(request(series), door)
    assert table.take_new() is not None
    assert sorted(rows(take_2(request_2(series), door))) == sorted(expected(request(series)))
    assert table.take_new() is None


def test_references_need_not_be_packed() -> None:
    message = request_2([(UP, [(1.0, NOW)])])
    refs = list(message.timeseries[0].labels_refs)
    message.timeseries[0].ClearField("labels_refs")
    sample = message.timeseries[0].SerializeToString()
    loose = b"".join(b"\x08" + bytes((r,)) for r in refs[:3]) + b"\x0a" + bytes((len(refs) - 3, *refs[3:]))
    message.ClearField("timeseries")
    body = message.SerializeToString() + b"\x2a" + bytes((len(loose + sample),)) + loose + sample
    assert rows(door_and_table()[0].take(body, SECOND, NOW)) == [(series_id(UP), NOW, 1.0)]


def test_kind_and_unit_come_with_the_series() -> None:
    names = {
        "requests": 1, "queue": 2, "lag_bucket": 3, "lag_sum": 3, "rpc": 5, "rpc_count": 5, "plain_total": 0, "state": 7,
    }  # fmt: skip
    message = request_2([({"__name__": name}, [(1.0, NOW)]) for name in names])
    message.symbols.append("widgets")
    for series, kind in zip(message.timeseries, names.values(), strict=True):
        series.metadata.type = kind
        series.metadata.unit_ref = len(message.symbols) - 1 if kind else 0
    door, table = door_and_table()
    take_2(message, door)
    batch = table.take_new()
    assert batch is not None
    found = {r["name"]: (r["kind"], r["unit"]) for r in batch.to_pylist()}
    assert found == {
        "requests": ("counter", "widgets"), "queue": ("gauge", "widgets"), "lag_bucket": ("counter", ""),
        "lag_sum": ("counter", "widgets"), "rpc": ("summary", "widgets"), "rpc_count": ("counter", ""),
        "plain_total": ("counter", ""), "state": ("gauge", "widgets"),
    }  # fmt: skip


def test_what_is_passed_over_and_what_is_refused() -> None:
    message = request_2([(UP, [(1.0, NOW)]), ({"job": "nameless"}, [(1.0, NOW)] * 2)])
    message.timeseries[0].created_timestamp = NOW - 1000
    message.timeseries[0].samples[0].start_timestamp = NOW - 1000
    message.timeseries[0].exemplars.add(labels_refs=[1, 2], value=1.0)
    message.timeseries[0].histograms.add(sum=3.0, timestamp=NOW)
    taken = take_2(message)
    assert rows(taken) == [(series_id(UP), NOW, 1.0)]
    assert taken.rejected == {"unsupported_histogram": 1, "no_name": 2, "exemplars": 1}
    assert b"nameless" in taken.letters[0].payload


@pytest.mark.parametrize("refs", [[1], [1, 99], [99, 1], [1, 2, 3], [2**32 - 1, 0]])
def test_references_that_lead_nowhere(refs: list[int]) -> None:
    message = request_2([(UP, [(1.0, NOW)]), (UP, [(2.0, NOW)])])
    del message.timeseries[0].labels_refs[:]
    message.timeseries[0].labels_refs.extend(refs)
    taken = take_2(message)
    assert taken.rejected == {"bad_label": 1} and rows(taken) == [(series_id(UP), NOW, 2.0)]


def test_symbols_are_no_bomb() -> None:
    long = {"__name__": "m", "l": "x" * 60_000}
    message = request_2([(long, [(1.0, NOW)])])
    many = [*message.timeseries[0].labels_refs] * 500
    message.timeseries[0].labels_refs.extend(many)
    assert take_2(message).rejected == {"labels_too_large": 1}
    message = request_2([(long, [(1.0, NOW)])] * 2000)
    with pytest.raises(TooLarge):
        take_2(message)
    with pytest.raises(TooLarge):
        door_and_table()[0].take(b"\x2a\x00" * 500_001, SECOND, NOW)
    with pytest.raises(TooLarge):
        door_and_table()[0].take(b"\x22\x00" * 500_001, SECOND, NOW)


def test_nothing_and_another_version() -> None:
    door = door_and_table()[0]
    assert door.take(b"", SECOND, NOW).entries == []
    assert door.take(request([(UP, [(1.0, NOW)])]).SerializeToString(), SECOND, NOW).entries == []
    for other in ("io.prometheus.write.v3.Request", "x", ""):
        with pytest.raises(UnsupportedMedia):
            door.take(b"", f"application/x-protobuf; proto={other}", NOW)
    for same in (
        'application/x-protobuf; Proto="prometheus.WriteRequest"',
        "application/x-protobuf; charset=x",
    ):
        assert rows(door.take(request([(UP, [(1.0, NOW)])]).SerializeToString(), same, NOW))


BODY = request_2([({**UP, "i": str(i)}, [(float(i), NOW)] * (i % 3)) for i in range(6)]).SerializeToString()


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200) | st.tuples(st.integers(0, len(BODY) - 1), st.binary(min_size=1, max_size=4)).map(
    lambda x: BODY[: x[0]] + x[1] + BODY[x[0] + len(x[1]) :]
))  # fmt: skip
def test_whatever_comes_is_samples_or_an_error_of_ours(body: bytes) -> None:
    try:
        taken = door_and_table()[0].take(body, SECOND, NOW)
    except WatchkeeperError:
        return
    message = Request.FromString(body) if _is_read_by_google(body) else None
    if message is not None and not taken.rejected:
        count = sum(1 for s in message.timeseries for x in s.samples if is_kept(x.value))
        assert len(rows(taken)) == count


def _is_read_by_google(body: bytes) -> bool:
    try:
        Request.FromString(body)
    except Exception:  # noqa: BLE001  (what it raises differs with its version)
        return False
    return True


@pytest.mark.parametrize("capture", sorted(CAPTURES.glob("*.snappy")), ids=lambda p: p.stem)
def test_what_prometheus_sent_by_the_first_version_is_the_same_by_the_second(capture: Path) -> None:
    body = bytes(cramjam.snappy.decompress_raw(capture.read_bytes()))
    message = WriteRequest.FromString(body)
    pairs = [
        ({x.name: x.value for x in s.labels}, [(x.value, x.timestamp) for x in s.samples])
        for s in message.timeseries
    ]
    first, second = take(message), take_2(request_2(pairs))
    assert comparable(rows(second)) == comparable(rows(first))
    assert second.rejected == {k: v for k, v in first.rejected.items() if k != "unsupported_histogram"}


@pytest.mark.parametrize("body", [b"\x2a", b"\x2a\x05\x0a", b"\x28\x01", b"\x2a\x02\x0a\x80", b"\x2a\x03\x0a\x01\xff",
                                  b"\x2a\x02\x12\x80", b"\x2a\x02\x2a\x08"])  # fmt: skip
def test_what_is_no_request(body: bytes) -> None:
    with pytest.raises(Malformed):
        door_and_table()[0].take(body, SECOND, NOW)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("v2"), remote_write=True)
    yield running
    running.stop()


def test_answers_say_what_was_written(front: RunningFront) -> None:
    now = front.front.intake.now_ms()
    good = [({**UP, "i": str(i)}, [(float(i), now)]) for i in range(3)]
    message = request_2([*good, ({**UP, "i": "stale"}, [(STALE, now)])])
    message.timeseries[0].exemplars.add(labels_refs=[1, 2], value=1.0)
    reply = front.call("POST", "/api/v1/write", packed(message), HEADERS)
    assert (reply.status, reply.body, written(reply)) == (204, b"", ("4", "0", "0"))
    values = [r["value"] for r in front.rows(Stream.SAMPLES)]
    assert {v for v in values if not math.isnan(v)} == {0.0, 1.0, 2.0} and len(values) == 4
    assert front.stats("remote_write")["rejected"] == {"exemplars": 1}
    mixed = request_2([*good, ({"job": "nameless"}, [(1.0, now)])])
    reply = front.call("POST", "/api/v1/write", packed(mixed), HEADERS)
    assert (reply.status, written(reply)) == (400, ("3", "0", "0"))
    assert b"3 samples taken, 1 refused" in reply.body
    reply = front.call("POST", "/api/v1/write", b"no snappy", HEADERS)
    assert (reply.status, written(reply)) == (400, ("0", "0", "0"))
    reply = front.call(
        "POST", "/api/v1/write", packed(request(good)), {**HEADERS, "Content-Type": "application/x-protobuf"}
    )
    assert reply.status == 204 and reply.headers["X-Prometheus-Remote-Write-Samples-Written"] is None
    other = {**HEADERS, "Content-Type": SECOND.replace("v2", "v3")}
    assert front.call("POST", "/api/v1/write", packed(message), other).status == 415
