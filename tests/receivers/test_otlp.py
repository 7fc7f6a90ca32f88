"""OTLP's doors over HTTP with the real SDK, partial success in both encodings, histograms as buckets."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.receivers.front_harness import SECRET, RunningFront
from tests.receivers.test_http_captures import CAPTURES
from watchkeeper.model.errors import DiskFull, TooLarge, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import otlp, otlp_json
from watchkeeper.receivers.otlp_histograms import MOST_BUCKETS, BadHistogram, exponential_buckets
from watchkeeper.receivers.otlp_weight import LIMIT, weigh_protobuf
from watchkeeper.receivers.series import SeriesTable

KEY = {"Authorization": f"Bearer {SECRET}"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
NOW = 1_795_385_321_000
RESOURCE = Resource.create({"service.name": "sdk-test", "host.name": "web-9"})


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    front = RunningFront(tmp_path_factory.mktemp("otlp"))
    yield front
    front.stop()


def endpoint(front: RunningFront, signal: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{front.port}/v1/{signal}"
    return {"endpoint": url, "headers": KEY, "compression": Compression.Gzip, "timeout": 10}


def test_the_sdk_sends_spans(front: RunningFront) -> None:
    provider = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(**endpoint(front, "traces"))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with (
        tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER),
        tracer.start_as_current_span(
            "inner", kind=trace.SpanKind.CLIENT, attributes={"server.address": "db-1"}
        ),
    ):
        pass
    provider.shutdown()
    inner, outer = (r for r in front.rows(Stream.SPANS) if r["service"] == "sdk-test")
    assert (inner["name"], inner["kind"], inner["peer"], inner["host"]) == (
        "inner",
        "client",
        "db-1",
        "web-9",
    )
    assert inner["parent_id"] == outer["span_id"] and inner["trace_id"] == outer["trace_id"]
    assert 0 < inner["duration_ns"] <= outer["duration_ns"]


def test_the_sdk_sends_metrics_and_their_series_are_declared(front: RunningFront) -> None:
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**endpoint(front, "metrics")), 3_600_000)
    provider = MeterProvider([reader], RESOURCE)
    meter = provider.get_meter("test")
    counter = meter.create_counter("sdk.requests", unit="1")
    counter.add(2, {"code": "200"})
    assert provider.force_flush()
    counter.add(3, {"code": "200"})
    meter.create_histogram("sdk.size", unit="By").record(12)
    provider.shutdown()
    series = [r for r in front.rows(Stream.SERIES) if r["name"].startswith("sdk.")]
    ids = {r["id"] for r in series if r["name"] == "sdk.requests"}
    assert len(ids) == 1 and len({r["id"] for r in series}) == len(series), "each series is declared once"
    assert [r["value"] for r in front.rows(Stream.SAMPLES) if r["series"] in ids] == [2.0, 5.0]
    assert {r["name"] for r in series} == {
        "sdk.requests",
        "sdk.size_bucket",
        "sdk.size_count",
        "sdk.size_sum",
    }


def test_the_sdk_sends_logs(front: RunningFront) -> None:
    provider = LoggerProvider(RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(**endpoint(front, "logs"))))
    provider.get_logger("shop.test").emit(
        body="payment 17 failed", severity_number=SeverityNumber.ERROR, attributes={"tries": 3}
    )
    provider.shutdown()
    row = next(r for r in front.rows(Stream.LOGS) if r["service"] == "sdk-test")
    assert (row["body"], row["severity"], row["source"]) == ("payment 17 failed", 17, "shop.test")
    assert json.loads(row["labels"])["tries"] == "3"


def capture(name: str) -> bytes:
    return (CAPTURES / "otlp" / name).read_bytes()


def test_partial_success_in_json_and_protobuf(front: RunningFront) -> None:
    body = capture("metrics-some-bad.json")
    reply = front.call("POST", "/v1/metrics", gzip.compress(body), {**JSON, "Content-Encoding": "gzip"})
    assert reply.status == 200 and reply.headers["Content-Type"] == "application/json"
    partial = reply.json()["partialSuccess"]
    assert partial["rejectedDataPoints"] == "8" and "2 bad_time" in partial["errorMessage"]
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="bad")
    metric.gauge.data_points.add(as_int=1)
    metric.gauge.data_points.add(as_int=1, time_unix_nano=NOW * 1_000_000)
    reply = front.call("POST", "/v1/metrics", request.SerializeToString(), PROTOBUF)
    assert reply.status == 200 and reply.headers["Content-Type"] == "application/x-protobuf"
    response = ExportMetricsServiceResponse.FromString(reply.body)
    assert response.partial_success.rejected_data_points == 1
    letter = next(r for r in front.rows(Stream.DEAD_LETTERS) if r["detail"] == "metric 'bad'")
    again = ExportMetricsServiceRequest.FromString(letter["payload"])
    assert again.resource_metrics[0].scope_metrics[0].metrics[0].name == "bad", (
        "it can be sent again as it is"
    )


def test_whole_success_is_an_empty_message(front: RunningFront) -> None:
    for path in ("/v1/metrics", "/v1/logs", "/v1/traces"):
        assert front.call("POST", path, b"{}", JSON).json() == {}
        reply = front.call("POST", path, b"", PROTOBUF)
        assert (reply.status, reply.body, reply.headers["Content-Type"]) == (
            200,
            b"",
            "application/x-protobuf",
        )


def test_errors_are_google_rpc_status(front: RunningFront) -> None:
    reply = front.call("POST", "/v1/logs", b"rubbish", JSON)
    assert reply.status == 400 and reply.json()["code"] == 3
    reply = front.call("POST", "/v1/logs", b"\xff" * 300, PROTOBUF)
    assert reply.status == 400 and reply.headers["Content-Type"] == "application/x-protobuf"
    assert reply.body[:3] == b"\x08\x03\x12" and b"ExportLogsServiceRequest" in reply.body
    assert front.call("POST", "/v1/logs", b"{}", JSON, key="wrong").json()["code"] == 16
    assert front.call("POST", "/v1/logs", b"{}", {"Content-Type": "text/xml"}).json()["code"] == 3
    assert front.call("GET", "/v1/logs").status == 503, "only POST is a door's"


def as_json(request: Any) -> bytes:
    """A protobuf request as OTLP's JSON, the slow way."""

    def hexed(value: Any) -> Any:
        if isinstance(value, list):
            return [hexed(v) for v in value]
        if not isinstance(value, dict):
            return value
        return {
            k: bytes_hex(v) if k in ("traceId", "spanId", "parentSpanId") else hexed(v)
            for k, v in value.items()
        }

    return json.dumps(hexed(MessageToDict(request))).encode()


def bytes_hex(value: str) -> str:
    return base64.b64decode(value).hex()


@pytest.mark.parametrize(("name", "request_type"), [
    ("metrics", ExportMetricsServiceRequest), ("logs", ExportLogsServiceRequest),
    ("traces", ExportTraceServiceRequest),
])  # fmt: skip
def test_json_and_protobuf_of_the_same_request_give_the_same_rows(name: str, request_type: Any) -> None:
    body = capture(f"{name}-python-sdk-1.45.pb")
    both = []
    for content, media in ((body, PROTOBUF), (as_json(request_type.FromString(body)), JSON)):
        door = next(d for d in otlp.doors(SeriesTable()) if d.path == f"/v1/{name}")
        both.append([b.to_pylist() for _, b in door.take(content, media["Content-Type"], NOW).entries])
    assert both[0] == both[1] and both[0][0]


def test_no_room_for_a_series_refuses_its_points_and_no_others() -> None:
    metrics = otlp.doors(SeriesTable(max_series=3, max_per_name=3))[0]
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    points = scope.metrics.add(name="wide").gauge.data_points
    for i in range(5):
        point = points.add(as_int=i, time_unix_nano=NOW * 1_000_000)
        point.attributes.add(key="id").value.string_value = str(i)
    taken = metrics.take(request.SerializeToString(), "application/x-protobuf", NOW)
    assert (taken.rows, taken.rejected) == (3, {"too_many_series": 2})


counts = st.lists(st.integers(0, 50), max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.integers(-4, 12), st.integers(-300, 300), counts, st.integers(-300, 300), counts, st.integers(0, 9))
def test_exponential_buckets_rise_and_count_everything(
    scale: int, offset: int, up: list[int], down_offset: int, down: list[int], zero: int
) -> None:
    point = otlp_json.ExponentialHistogramDataPoint(
        scale=scale,
        zero_count=zero,
        positive=otlp_json.Buckets(offset=offset, bucket_counts=up),
        negative=otlp_json.Buckets(offset=down_offset, bucket_counts=down),
    )
    buckets = exponential_buckets(point)
    assert buckets[-1] == (math.inf, sum(up) + sum(down) + zero)
    assert len(buckets) <= MOST_BUCKETS + 2
    for (a, n), (b, m) in pairwise(buckets):
        assert a < b and n <= m
    for i, n in enumerate(up):
        if n:  # a bound above a bucket counts that bucket, those below it, and all that is not positive
            above = math.ldexp(offset + i + 1, -scale) + 1e-9
            known = sum(up[: i + 1]) + sum(down) + zero
            assert all(total >= known for bound, total in buckets if bound > 0 and math.log2(bound) >= above)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(["application/json", "application/x-protobuf"]),
    st.integers(0, 2),
)
def test_anything_is_taken_or_refused_with_an_error_of_ours(body: bytes, media: str, which: int) -> None:
    try:
        otlp.doors(SeriesTable())[which].take(body, media, NOW)
    except WatchkeeperError as error:
        assert error.status in (400, 413)


DAMAGED = (
    "metrics-every-kind.json", "metrics-python-sdk-1.45.pb", "logs-browser.json", "traces-some-bad.json",
    "traces-python-sdk-1.45.pb",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_request_is_taken_in_part_or_refused(data: st.DataObject) -> None:
    """Real requests with bytes changed: numbers, lengths and texts of any kind in their fields."""
    name = data.draw(st.sampled_from(DAMAGED))
    body = bytearray(capture(name))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    door = next(d for d in otlp.doors(SeriesTable()) if d.path == f"/v1/{name.partition('-')[0]}")
    media = "application/json" if name.endswith(".json") else "application/x-protobuf"
    try:
        door.take(bytes(body), media, NOW)
    except WatchkeeperError as error:
        assert error.status in (400, 413)


FIELDS = (
    '"count": "6"', '"asInt": "42"', '"scale": 2', '"bucketCounts": ["1", "2", "3"]', '"offset": 3',
    '"flags": 1', '"quantile": 0.5', '"timeUnixNano": "1795385316000000000"',
)  # fmt: skip


@pytest.mark.parametrize(
    "value", ["1e400", "-5", str(10**400), "NaN", '"Infinity"', "null", "true", '"x"', "[]"]
)
def test_numbers_of_any_size_in_json(value: str) -> None:
    text = capture("metrics-every-kind.json").decode()
    for old in FIELDS:
        name = old.partition(":")[0]
        assert old in text
        try:
            otlp.doors(SeriesTable())[0].take(
                text.replace(old, f"{name}: {value}").encode(), "application/json", NOW
            )
        except WatchkeeperError as error:
            assert error.status in (400, 413)


def test_weight_is_what_upb_takes_in_proportion() -> None:
    kind = ExportMetricsServiceRequest.DESCRIPTOR
    with pytest.raises(TooLarge):
        weigh_protobuf(b"\x0a\x00" * 400_000, kind)
    packed = ExportMetricsServiceRequest()
    metric = packed.resource_metrics.add().scope_metrics.add().metrics.add()
    point = metric.exponential_histogram.data_points.add()
    point.positive.bucket_counts.extend([1] * (LIMIT // 8))
    with pytest.raises(TooLarge):
        weigh_protobuf(packed.SerializeToString(), kind)
    text = ExportMetricsServiceRequest()
    text.resource_metrics.add(schema_url="x" * 8_000_000)
    weigh_protobuf(text.SerializeToString(), kind)


@pytest.mark.parametrize("bad", [{"scale": 99}, {"zero_threshold": math.nan}, {"zero_count": -1}])
def test_an_exponential_histogram_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(BadHistogram):
        exponential_buckets(otlp_json.ExponentialHistogramDataPoint(**bad))


def test_a_full_disk_is_an_answer_after_which_exporters_try_again() -> None:
    for door in otlp.doors(SeriesTable()):
        answer = door.row().refuse(DiskFull("the disk is full"), "application/json")
        assert (answer.status, json.loads(answer.body)) == (503, {"code": 14, "message": "the disk is full"})
