"""Remote write's decoder: captured bodies of Prometheus, a second decoder's opinion, and hostile bytes."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.receivers.remote_write_messages import WriteRequest, request, samples
from watchkeeper.model.errors import Malformed, RateLimited, TooLarge, UnsupportedMedia
from watchkeeper.model.series import labels_json, series_id
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers.http import Taken
from watchkeeper.receivers.remote_write import RemoteWriteDoor
from watchkeeper.receivers.series import SeriesTable

CAPTURES = Path(__file__).parent.parent / "captures" / "remote_write"
NOW = 1_795_385_570_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
Row = tuple[int, int, float]


def door_and_table(**limits: int) -> tuple[RemoteWriteDoor, SeriesTable]:
    table = SeriesTable(**limits)
    return RemoteWriteDoor(table), table


def rows(taken: Taken) -> list[Row]:
    out: list[Row] = []
    for stream, batch in taken.entries:
        assert stream is Stream.SAMPLES and batch.schema.equals(SCHEMAS[stream])
        out += zip(*(batch.column(i).to_pylist() for i in range(3)), strict=True)
    return out


def expected(message: Any) -> list[Row]:
    return [(series_id(labels), time, value) for labels, time, value in samples(message)]


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def is_kept(value: float) -> bool:
    """All but a NaN that is no marker of staleness."""
    return not math.isnan(value) or bits(value) == bits(STALE)


def comparable(found: list[Row]) -> list[tuple[int, int, bytes]]:
    return sorted((series, time, bits(value)) for series, time, value in found)


def take(message: Any, door: RemoteWriteDoor | None = None, now: int = NOW) -> Taken:
    door = door or door_and_table()[0]
    return door.take(message.SerializeToString(), "application/x-protobuf", now)


@pytest.mark.parametrize("capture", sorted(CAPTURES.glob("*.snappy")), ids=lambda p: p.stem)
def test_captured_bodies(capture: Path) -> None:
    body = bytes(cramjam.snappy.decompress_raw(capture.read_bytes()))
    door, table = door_and_table()
    taken = door.take(body, "application/x-protobuf", NOW)
    batch = table.take_new()
    declared = {r.pop("id"): r for r in batch.to_pylist()} if batch else {}
    found = [
        {
            **declared[series],
            "labels": json.loads(declared[series]["labels"]),
            "time_ms": time,
            "value": str(v),
        }
        for series, time, v in rows(taken)
    ]
    assert (taken.rejected, taken.message) == ({}, "")
    assert found == json.loads(capture.with_suffix(".expected.json").read_text())
    kept = [row for row in expected(WriteRequest.FromString(body)) if is_kept(row[2])]
    assert comparable(rows(taken)) == comparable(kept)
    assert comparable(rows(door.take(body, "application/x-protobuf", NOW))) == comparable(kept)  # from memory


TEXT = st.one_of(
    st.text("abcXYZ_:/ {}~", min_size=1, max_size=5),
    st.text("ab", min_size=120, max_size=140),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=150),
)
LABELS = st.one_of(
    st.dictionaries(TEXT, TEXT, max_size=4).map(
        lambda given: dict(sorted({**given, "__name__": "m"}.items()))
    ),
    st.dictionaries(TEXT, TEXT, max_size=4).map(lambda given: {"__name__": "m", **given}),
)
VALUES = st.one_of(st.floats(allow_nan=False), st.just(0.0))
SAMPLES = st.lists(st.tuples(VALUES, st.integers(NOW - 10**9, NOW)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABELS, SAMPLES), max_size=6))
def test_it_reads_what_googles_library_writes(series: list[Any]) -> None:
    door, table = door_and_table()
    message = request(series)
    for _ in range(3):  # unknown, then known
        assert sorted(rows(take(message, door))) == sorted(expected(message))
    batch = table.take_new()
    declared = {r["id"]: (r["name"], r["labels"]) for r in batch.to_pylist()} if batch else {}
    assert declared == {
        series_id(labels): (labels["__name__"], labels_json(labels)) for labels, _, _ in samples(message)
    }


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_taken_or_malformed(body: bytes) -> None:
    accept(body)


GOOD = request(
    [({"__name__": "m", "job": "j" * 130}, [(1.5, NOW), (0.0, NOW)]), ({"__name__": "n"}, [(2.0, NOW)])]
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bodies_are_taken_or_malformed(data: st.DataObject) -> None:
    body = bytearray(GOOD.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    accept(bytes(body[: data.draw(st.integers(0, len(body)))]))


def accept(body: bytes) -> None:
    """Whatever the bytes are: no error but Malformed, and what is taken is what Google's library reads."""
    door, _ = door_and_table()
    try:
        first = door.take(body, "", NOW)
        second = door.take(body, "", NOW)
    except Malformed as error:
        assert error.status == 400
        return
    assert sorted(rows(first)) == sorted(rows(second))
    assert first.rejected == second.rejected


def test_every_prefix_of_a_body_is_malformed_or_holds_fewer_samples() -> None:
    body = GOOD.SerializeToString()
    door, _ = door_and_table()
    whole = 0
    for end in range(len(body)):
        try:
            whole += len(rows(door.take(body[:end], "", NOW))) > 0
        except Malformed:
            continue
    assert whole == 1  # after the first of two series


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "runs past the end"),  # a length of 2**64 - 1
        (b"\x0a" + b"\xff" * 11, "runs past the end"),  # a varint without end
        (b"\x0a\x05\x0a", "runs past the end"),
        (b"\x08\x01", "wire type"),
        (b"\x0b\x0c", "wire type"),  # a group
        (b"\x02\x00", "field number is 0"),
        (b"\x0a\x02\x08\x01", "wire type"),  # labels as a number
        (b"\x0a\x04\x12\x02\x08\x01", "wire type"),  # a value as a varint
    ],
)
def test_what_is_no_write_request(body: bytes, text: str) -> None:
    with pytest.raises(Malformed, match=text):
        door_and_table()[0].take(body, "", NOW)


def test_fields_of_later_versions_are_passed_over() -> None:
    message = request([({"__name__": "up"}, [(1.0, NOW)])])
    series = message.timeseries[0].SerializeToString() + b"\x7a\x02hi\x80\x01\x05\xa1\x01" + bytes(8)
    taken = door_and_table()[0].take(b"\x52\x03new\x0a" + bytes([len(series)]) + series, "", NOW)
    assert rows(taken) == expected(message)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (b"\x0a\x05\x0a\x03job\x0a\x06\x0a\x01a\x12\x01b", "no_name"),
        (b"", "no_name"),
        (b"\x0a\x0c\x0a\x08__name__\x12\x00", "no_name"),
        (b"\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x06\x0a\x01\xff\x12\x01b", "invalid_utf8"),
        (b"\x0a\x0e\x0a\x08__name__\x12\x02u\xc3", "invalid_utf8"),
        (b"\x0a\x0e\x0a\x08__name__\x12\x02up" * 2, "duplicate_label"),
        (b"\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x03\x12\x01b", "bad_label"),
        (b"\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x02\xff\xff", "bad_label"),
    ],
)
def test_a_bad_series_is_refused_and_its_neighbours_are_taken(labels: bytes, reason: str) -> None:
    good = request([({"__name__": "up"}, [(1.0, NOW)])])
    bad = labels + b"\x12\x07\x10" + varint(NOW)
    taken = door_and_table()[0].take(good.SerializeToString() + b"\x0a" + bytes([len(bad)]) + bad, "", NOW)
    assert rows(taken) == expected(good)
    assert taken.rejected == {reason: 1} and taken.message
    assert [(x.reason, x.payload) for x in taken.letters] == [(reason, bad)]


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


def test_the_order_of_labels_does_not_matter_nor_do_empty_ones() -> None:
    message = request([({"z": "1", "__name__": "up", "a": "2", "none": ""}, [(1.0, NOW)])])
    sorted_one = request([({"__name__": "up", "a": "2", "z": "1"}, [(1.0, NOW)])])
    door, table = door_and_table()
    assert rows(take(message, door)) == rows(take(sorted_one, door))
    assert len(table) == 1


def test_labels_behind_samples_belong_to_the_series_all_the_same() -> None:
    inner = b"\x0a\x0e\x0a\x08__name__\x12\x02up\x12\x07\x10" + varint(NOW) + b"\x0a\x06\x0a\x01a\x12\x01b"
    door, _ = door_and_table()
    for _ in range(2):
        taken = door.take(b"\x0a" + bytes([len(inner)]) + inner, "", NOW)
        assert rows(taken) == [(series_id({"__name__": "up", "a": "b"}), NOW, 0.0)]


def test_a_label_value_that_looks_like_a_sample_is_a_label() -> None:
    sample = b"\x12\x07\x10" + varint(NOW)
    door, _ = door_and_table()
    known = request([({"__name__": "up"}, [(1.0, NOW)])])
    for _ in range(2):
        take(known, door)
        label = b"\x0a\x01a\x12\x09" + sample
        inner = b"\x0a\x0e\x0a\x08__name__\x12\x02up" + b"\x0a" + bytes([len(label)]) + label
        assert rows(door.take(b"\x0a" + bytes([len(inner)]) + inner, "", NOW)) == []


def test_nan_is_a_gap_and_stale_markers_and_infinities_are_values() -> None:
    series = [
        ({"__name__": f"m{i}"}, [(v, NOW)]) for i, v in enumerate([math.nan, STALE, math.inf, -math.inf])
    ]
    taken = take(request(series))
    assert [bits(value) for _, _, value in rows(taken)] == [bits(v) for v in (STALE, math.inf, -math.inf)]
    assert taken.rejected == {}


@pytest.mark.parametrize("time", [0, -5, NOW - 40 * 86_400_000, NOW + 7_200_000, 2**63 - 1, -(2**63)])
def test_times_that_cannot_be_are_refused(time: int) -> None:
    taken = take(request([({"__name__": "up"}, [(1.0, time), (2.0, NOW)])]))
    assert [value for _, _, value in rows(taken)] == [2.0]
    assert taken.rejected == {"time_out_of_range": 1} and str(time) in taken.message
    assert str(time).encode() in taken.letters[0].payload


def test_native_histograms_are_refused_by_name_and_exemplars_passed_over() -> None:
    message = request([({"__name__": "h"}, []), ({"__name__": "up"}, [(1.0, NOW)])])
    message.timeseries[0].histograms.add(sum=1.0, timestamp=NOW)
    message.timeseries[1].exemplars.add(value=1.0, timestamp=NOW).labels.add(name="trace_id", value="x")
    door, table = door_and_table()
    for _ in range(2):
        taken = take(message, door)
        assert taken.rejected == {"unsupported_histogram": 1} and "native histograms" in taken.message
        assert len(rows(taken)) == 1
    assert len(table) == 1


def test_metadata_tells_kinds_also_of_series_that_were_there_before() -> None:
    series = [({"__name__": n}, [(1.0, NOW)]) for n in ("lag", "rpc", "rpc_sum", "odd_counter", "other")]
    door, table = door_and_table()
    take(request(series), door)
    assert table.take_new() is not None
    message = request(series)
    for kind, name, unit in ((2, "lag", ""), (5, "rpc", "seconds"), (1, "odd_counter", ""), (0, "other", "")):
        message.metadata.add(type=kind, metric_family_name=name, unit=unit)
    take(message, door)
    batch = table.take_new()
    assert batch is not None
    found = {r["name"]: (r["kind"], r["unit"]) for r in batch.to_pylist()}
    assert found == {
        "lag": ("gauge", ""), "rpc": ("summary", "seconds"), "rpc_sum": ("counter", "seconds"),
        "odd_counter": ("counter", ""),
    }  # fmt: skip
    for contradiction in (1, 2):
        message.metadata[0].type = contradiction
        take(message, door)
        assert table.take_new() is None


def test_a_label_explosion_is_refused_alone() -> None:
    door, _ = door_and_table(max_series=10, max_per_name=5)
    many = request([({"__name__": "m", "user": str(i)}, [(1.0, NOW)]) for i in range(8)])
    taken = take(many, door)
    assert len(rows(taken)) == 5 and taken.rejected == {"too_many_series": 3}
    assert "named m" in taken.message
    with pytest.raises(RateLimited):
        take(request([({"__name__": "m", "user": "new"}, [(1.0, NOW)])]), door)
    assert len(rows(take(request([({"__name__": "n"}, [(1.0, NOW)])]), door))) == 1
    assert len(rows(take(many, door))) == 5  # those it has are taken as before


def test_series_that_the_table_forgot_are_declared_again() -> None:
    table = SeriesTable(period_ms=1000)
    door = RemoteWriteDoor(table)
    both = request([({"__name__": n}, [(1.0, NOW)]) for n in ("a", "b")])
    only = request([({"__name__": "a"}, [(1.0, NOW)])])
    table.age(0)
    take(both, door)
    table.take_new()
    for now in (1000, 2000, 3000):
        table.age(now)
        take(only, door)
        assert table.take_new() is None
    assert len(table) == 1
    take(both, door)
    batch = table.take_new()
    assert batch is not None and batch.column("name").to_pylist() == ["b"]


def test_many_series_are_all_found_again() -> None:
    door, table = door_and_table()
    message = request([({"__name__": f"m{i % 7}", "i": str(i)}, [(float(i), NOW)]) for i in range(9000)])
    for _ in range(2):
        assert sorted(rows(take(message, door))) == sorted(expected(message))
    assert len(table) == 9000


def test_what_is_too_large_or_another_version_is_said_so() -> None:
    door, _ = door_and_table()
    with pytest.raises(TooLarge):
        door.take(b"\x0a\x00" * 500_001, "", NOW)
    with pytest.raises(TooLarge):
        door.take(b"\x0a\xc2\x84\x3d" + b"\x12\x00" * 500_001, "", NOW)
    with pytest.raises(UnsupportedMedia):
        door.take(b"", "application/x-protobuf;proto=io.prometheus.write.v3.Request", NOW)
    huge = request([({"__name__": "m", "l": "x" * 70_000}, [(1.0, NOW)])])
    assert take(huge, door).rejected == {"labels_too_large": 1}
    assert take(request([]), door).entries == []
