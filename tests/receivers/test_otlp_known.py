"""OTLP's metrics a second time: what is known by its bytes becomes what protobuf would make of it, whatever is sent and
however it is written, and nothing outside of the body is ever looked at."""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.receivers.test_http_captures import CAPTURES
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import otlp
from watchkeeper.receivers.otlp_metrics_wire import walk
from watchkeeper.receivers.series import SeriesTable

NOW = 1_795_385_321_000
PROTOBUF = "application/x-protobuf"
TIMES = (0, 1, 999_999, NOW * 1_000_000, NOW * 1_000_000 + 15 * 10**9, 2**63 - 1, 2**63, 2**64 - 1)
GOOD = tuple(NOW * 1_000_000 + at for at in range(20))
WORDS = ("", "a", "host.name", "telemetry.sdk.name", "x\0y", "ä€", "otel.temporality", "é" * 70)
NUMBERS = (0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 1e308, 5e-324)
WHOLE = (0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63))


class Seen(NamedTuple):
    """What a door made of a body."""

    rows: list[tuple[int, int, str]]
    told: object


def door() -> otlp.OtlpDoor:
    return otlp.doors(SeriesTable())[0]


def take(of: otlp.OtlpDoor, body: bytes) -> Seen:
    try:
        taken = of.take(body, PROTOBUF, NOW)
    except WatchkeeperError as error:
        return Seen([], (type(error), error.reason, error.detail))
    rows: list[tuple[int, int, str]] = []
    for stream, batch in taken.entries:
        assert stream is Stream.SAMPLES
        batch.validate(full=True)
        columns = (batch.column(c).to_pylist() for c in ("series", "time_ms", "value"))
        rows += [(series, at, repr(value)) for series, at, value in zip(*columns, strict=True)]
    return Seen(rows, (taken.rejected, taken.message, taken.letters))


def attributes(chance: random.Random, to: Any) -> None:
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        value = to.add(key=chance.choice(WORDS)).value
        match chance.randrange(6):
            case 0 | 1:
                value.string_value = chance.choice(WORDS)
            case 2:
                value.int_value = chance.choice(WHOLE)
            case 3:
                value.bool_value = chance.random() < 0.5
            case 4:
                value.array_value.values.add(double_value=chance.choice(NUMBERS))
            case 5:
                value.kvlist_value.values.add(key="k").value.bytes_value = b"\xff"


def number(chance: random.Random, point: Any) -> None:
    point.time_unix_nano = chance.choice((*TIMES, *GOOD))
    point.start_time_unix_nano = chance.choice(TIMES)
    attributes(chance, point.attributes)
    match chance.randrange(8):
        case 0:
            point.as_int = chance.choice(WHOLE)
        case 1 | 2 | 3 | 4 | 5 | 6:
            point.as_double = chance.choice(NUMBERS)
    point.flags = chance.choice((0, 0, 0, 0, 1, 2, 3, 128, 129, 2**32 - 1))
    if chance.random() < 0.1:
        exemplar = point.exemplars.add(as_double=1.0, time_unix_nano=chance.choice(TIMES), trace_id=b"t" * 16)
        attributes(chance, exemplar.filtered_attributes)


def metric(chance: random.Random, to: Metric) -> None:
    to.name, to.unit = chance.choice(WORDS), chance.choice(WORDS)
    to.description = chance.choice(("", "what it is"))
    attributes(chance, to.metadata)
    which = chance.choice(
        ("gauge", "gauge", "sum", "sum", "histogram", "exponential_histogram", "summary", "")
    )
    if not which:
        return
    data = getattr(to, which)
    data.SetInParent()
    if hasattr(data, "aggregation_temporality"):
        data.aggregation_temporality = chance.choice((0, 1, 2, 2))
    if which == "sum":
        data.is_monotonic = chance.random() < 0.5
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        point = data.data_points.add()
        if which in ("gauge", "sum"):
            number(chance, point)
            continue
        point.time_unix_nano, point.count = chance.choice(TIMES), chance.randrange(9)
        attributes(chance, point.attributes)
        if which == "histogram":
            point.explicit_bounds.extend([1.0, 2.0][: chance.randrange(3)])
            point.bucket_counts.extend([1] * chance.randrange(4))
        elif which == "summary":
            point.quantile_values.add(quantile=chance.choice((0.5, 2.0)), value=chance.choice(NUMBERS))


def request(chance: random.Random) -> ExportMetricsServiceRequest:
    made = ExportMetricsServiceRequest()
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        group = made.resource_metrics.add(
            schema_url=chance.choice(("", "https://opentelemetry.io/schemas/1.37.0"))
        )
        attributes(chance, group.resource.attributes)
        for _ in range(chance.choice((0, 1, 1, 2))):
            scoped = group.scope_metrics.add()
            scoped.scope.name, scoped.scope.version = chance.choice(WORDS), chance.choice(WORDS)
            for _ in range(chance.choice((0, 1, 2, 3, 4))):
                metric(chance, scoped.metrics.add())
    return made


def varint(value: int, longer: int = 0) -> bytes:
    """A number, in more bytes than it needs."""
    out = bytearray()
    while value > 127 or longer > 0:
        longer -= value <= 127
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def rewritten(chance: random.Random, data: bytes, kind: Any) -> bytes:
    """A message in other words: fields in another order, some twice or missing, numbers and lengths longer than they have
    to be, fields that nobody knows among them, groups too."""
    at, fields = 0, list[bytes]()
    while at < len(data):
        begin = at
        tag, at = read_varint(data, at)
        known = kind.fields_by_number.get(tag >> 3)
        if tag & 7 != 2:
            at = read_varint(data, at)[1] if tag & 7 == 0 else at + (8 if tag & 7 == 1 else 4)
            fields.append(data[begin:at])
            continue
        size, at = read_varint(data, at)
        content, at = data[at : at + size], at + size
        if known is not None and known.message_type is not None and chance.random() < 0.9:
            content = rewritten(chance, content, known.message_type)
        longer = chance.choice((0,) * 60 + (1, 1, 2, 3, 6))
        fields.append(
            varint(tag, longer=chance.choice((0,) * 100 + (1, 5))) + varint(len(content), longer) + content
        )
    match chance.randrange(24):
        case 0 | 5 | 6:
            chance.shuffle(fields)
        case 1 if fields:
            fields.insert(chance.randrange(len(fields) + 1), chance.choice(fields))
        case 2 if fields:
            fields.remove(chance.choice(fields))
        case 3:
            strange = (
                b"\x78\x05",
                b"\x7a\x01\xff",
                b"\x79" + b"8" * 8,
                b"\xa5\x06" + b"4" * 4,
                b"\x7b\x08\x01\x7c",
            )
            fields.insert(chance.randrange(len(fields) + 1), chance.choice(strange))
        case 4:
            fields.insert(0, varint(chance.randrange(1, 13) << 3 | chance.choice((0, 1, 2, 5))) + b"\0" * 8)
    return b"".join(fields)


def damaged(chance: random.Random, data: bytes) -> bytes:
    """These bytes with a few of them changed."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(out) + 1)
        out[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
    return bytes(out)


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_second_time_is_as_the_first(chance: random.Random) -> None:
    body = request(chance).SerializeToString()
    if chance.random() < 0.5:
        body = rewritten(chance, body, ExportMetricsServiceRequest.DESCRIPTOR)
    of = door()
    first = take(of, body)
    assert take(of, body) == first
    assert take(of, body) == first


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_is_known_changes_nothing_of_what_is_like_it(chance: random.Random) -> None:
    """Requests of the same few words, written in other ways or broken, at a door that knows others of them."""
    made = [request(chance).SerializeToString() for _ in range(3)]
    of = door()
    for body in made:
        take(of, body)
    for body in made:
        for _ in range(3):
            other = chance.choice((rewritten, lambda c, b, _: damaged(c, b)))(
                chance, body, ExportMetricsServiceRequest.DESCRIPTOR
            )
            if chance.random() < 0.3:
                other += body
            assert take(of, other) == take(door(), other)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_nothing_outside_of_the_body_is_looked_at(chance: random.Random) -> None:
    body = damaged(chance, request(chance).SerializeToString())
    key = np.array([1, 2], np.uint64)
    seen = []
    for around in (b"\0", b"\x7f", b"\xff", body[:1] or b"\n"):
        buffer = np.frombuffer(around * 40 + body + around * 40, np.uint8)
        walked = walk(buffer[40 : 40 + len(body)], key)
        seen.append(
            None if walked is None else [np.asarray(getattr(walked, n)).tobytes() for n in walked.__slots__]
        )
    assert all(one == seen[0] for one in seen)


def test_a_known_request_is_not_read_by_protobuf() -> None:
    body = (CAPTURES / "otlp" / "metrics-python-sdk-1.45.pb").read_bytes()
    of = door()
    assert of.metrics is not None
    message = ExportMetricsServiceRequest.FromString(body)
    for group in message.resource_metrics:
        for scoped in group.scope_metrics:
            kept = [m for m in scoped.metrics if m.WhichOneof("data") in ("gauge", "sum")]
            del scoped.metrics[:]
            scoped.metrics.extend(kept)
    plain = message.SerializeToString()
    assert take(of, plain).rows
    recalled = of.metrics.recall(plain)
    assert recalled is not None and recalled.complete


def test_one_new_point_among_known_ones_keeps_its_place() -> None:
    def body(*names: str) -> bytes:
        made = ExportMetricsServiceRequest()
        metrics = made.resource_metrics.add().scope_metrics.add().metrics
        for at, name in enumerate(names):
            if name.startswith("h"):
                metrics.add(name=name).histogram.data_points.add(time_unix_nano=10**6 * (at + 1), count=1)
            else:
                metrics.add(name=name).gauge.data_points.add(time_unix_nano=10**6 * (at + 1), as_int=at)
        return made.SerializeToString()

    of = door()
    take(of, body("a", "b", "c"))
    found = take(of, body("a", "new", "h1", "b", "h2", "c"))
    assert [at for _, at, _ in found.rows] == [1, 2, 3, 4, 5, 6]
    assert found == take(door(), body("a", "new", "h1", "b", "h2", "c"))


def test_a_series_that_the_table_has_forgotten_is_declared_again() -> None:
    table = SeriesTable(period_ms=1000)
    of = otlp.doors(table)[0]
    made = ExportMetricsServiceRequest()
    gauge = made.resource_metrics.add().scope_metrics.add().metrics.add(name="g").gauge
    gauge.data_points.add(time_unix_nano=NOW * 10**6, as_int=1)
    body = made.SerializeToString()
    declared = []
    for now in (0, 500, 1500, 2500, 3500, 9000, 10_500, 10_600):
        table.age(now)
        if now not in (9000, 10_500):
            assert take(of, body).rows
        declared.append(table.take_new() is not None)
    assert declared == [True, False, False, False, False, False, False, True]


def test_ever_new_ways_to_write_a_series_keep_no_other_from_being_known() -> None:
    of = otlp.doors(SeriesTable(max_series=4))[0]
    assert of.metrics is not None
    for number in range(50):
        made = ExportMetricsServiceRequest()
        metrics = made.resource_metrics.add().scope_metrics.add().metrics
        gauge = metrics.add(name="g", description=f"the {number}th").gauge
        gauge.data_points.add(time_unix_nano=NOW * 10**6, as_int=1)
        body = made.SerializeToString()
        assert len(take(of, body).rows) == 1
        recalled = of.metrics.recall(body)
        assert recalled is not None and recalled.complete
