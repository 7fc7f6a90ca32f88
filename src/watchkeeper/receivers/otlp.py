"""OTLP over HTTP, protobuf and JSON: the doors of metrics, logs and traces, and their answers.

Valid parts of a request are taken; the others are refused in its partial success. Source: OTLP 1.5,
https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from watchkeeper.model.errors import Malformed, TooManySeries, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import grpc_status, otlp_json
from watchkeeper.receivers.body import weigh_json
from watchkeeper.receivers.http import Answer, HttpDoor, Taken
from watchkeeper.receivers.otlp_logs import logs
from watchkeeper.receivers.otlp_metrics import OtlpMetrics
from watchkeeper.receivers.otlp_traces import spans
from watchkeeper.receivers.otlp_values import NAME, Message, Refused
from watchkeeper.receivers.otlp_weight import SMALL, weigh_protobuf
from watchkeeper.receivers.series import SeriesTable

PROTOBUF = ("application/x-protobuf", "application/protobuf")
JSON = "application/json"

Rows = Callable[[Message, int, Refused], pa.RecordBatch | None]


@dataclass(frozen=True, slots=True)
class OtlpDoor:
    """One of the three: which request it reads, into which rows of which stream, and how it answers."""

    path: str
    stream: Stream
    rows: Rows
    noun: str  # "data points"
    rejected_field: str
    request: type[Message]
    response: type[Message]
    json_request: type[Message]
    metrics: OtlpMetrics | None = None  # to recall by its bytes what `rows` need not read
    name: str = NAME

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:
        """The valid rows of a body (model.doors.Door). Raises as `take`."""
        return iter(self.take(body, content_type, now_ms).entries)

    def take(self, body: bytes, content_type: str, now_ms: int) -> Taken:
        """The valid rows of a body, and what was wrong with the others. Raises Malformed, TooLarge, and TooManySeries
        when all of it is new series for which there is no room."""
        if _is_json(content_type):
            refused = Refused(self.noun, msgspec.json.encode)
            rows = self.rows(self._read_json(body), now_ms, refused)
        else:
            refused = Refused(self.noun, self.request.SerializeToString)
            rows = self._protobuf_rows(body, now_ms, refused)
        if rows is None and refused.counts.keys() == {TooManySeries.reason}:
            raise TooManySeries(refused.message(), retry_after=60.0)
        return Taken(
            entries=[] if rows is None else [(self.stream, rows)],
            rejected=dict(refused.counts),
            message=refused.message(),
            letters=refused.letters,
        )

    def row(self) -> HttpDoor:
        """This door's row of the table."""
        return HttpDoor(
            self.name, "POST", self.path, (*PROTOBUF, JSON), self.take, accept=self._accept, refuse=_refuse
        )

    def _protobuf_rows(self, body: bytes, now_ms: int, refused: Refused) -> pa.RecordBatch | None:
        weigh_protobuf(body, self.request.DESCRIPTOR)
        if self.metrics is None:
            return self.rows(self._read_protobuf(body), now_ms, refused)
        recalled = self.metrics.recall(body)
        if recalled is not None and recalled.complete:
            return recalled.batch()
        return self.metrics.samples(self._read_protobuf(body), now_ms, refused, recalled)

    def _read_protobuf(self, body: bytes) -> Message:
        try:
            return self.request.FromString(body)
        except DecodeError as error:
            raise Malformed(f"the body is not an {self.request.__name__}: {error}") from error

    def _read_json(self, body: bytes) -> Message:
        weigh_json(body)
        try:
            return msgspec.json.decode(body, type=self.json_request, strict=False)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise Malformed(f"the body is not an {self.request.__name__} as JSON: {error}") from error

    def _accept(self, taken: Taken, content_type: str) -> Answer:
        count = sum(taken.rejected.values())
        if _is_json(content_type):
            field = _camel(self.rejected_field)
            partial = {"partialSuccess": {field: str(count), "errorMessage": taken.message}} if count else {}
            return Answer(200, msgspec.json.encode(partial), JSON)
        response = self.response()
        if count:
            setattr(response.partial_success, self.rejected_field, count)
            response.partial_success.error_message = taken.message
        return Answer(200, response.SerializeToString(), PROTOBUF[0])


def doors(series: SeriesTable) -> tuple[OtlpDoor, OtlpDoor, OtlpDoor]:
    """The doors of metrics, logs and traces."""
    metrics = OtlpMetrics(series)
    return (
        OtlpDoor("/v1/metrics", Stream.SAMPLES, metrics.samples, "data points",
                 "rejected_data_points", ExportMetricsServiceRequest, ExportMetricsServiceResponse,
                 otlp_json.MetricsRequest, metrics),
        OtlpDoor("/v1/logs", Stream.LOGS, logs, "log records", "rejected_log_records",
                 ExportLogsServiceRequest, ExportLogsServiceResponse, otlp_json.LogsRequest),
        OtlpDoor("/v1/traces", Stream.SPANS, spans, "spans", "rejected_spans",
                 ExportTraceServiceRequest, ExportTraceServiceResponse, otlp_json.TracesRequest),
    )  # fmt: skip


def warm() -> None:
    """Compile what is compiled, or load it from the cache: 5 s the first time, a tenth of it later."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add(schema_url="x" * SMALL).scope_metrics.add().metrics.add(name="warm")
    metric.gauge.data_points.add(time_unix_nano=1, as_double=1.0)
    body = request.SerializeToString()
    door = doors(SeriesTable())[0]
    for _ in range(2):
        door.take(body, PROTOBUF[0], 0)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() not in PROTOBUF


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _refuse(error: WatchkeeperError, content_type: str) -> Answer:
    """An error as google.rpc.Status. A full disk is 503: clients send again after that, and not after 507."""
    status = 503 if error.status == 507 else error.status
    if _is_json(content_type):
        document = {"code": grpc_status.code(error), "message": error.detail}
        return Answer(status, msgspec.json.encode(document), JSON)
    return Answer(status, grpc_status.status(error), PROTOBUF[0])
