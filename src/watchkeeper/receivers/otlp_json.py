"""OTLP's JSON as typed structs that have the protobuf classes' attribute names: one decoder reads both.

OTLP's JSON is not proto JSON: ids are hex. Numbers of 64 bits may be strings, enums numbers or names, unknown
fields are passed over. Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class _Message(msgspec.Struct, rename="camel", kw_only=True, omit_defaults=True):
    """What the decoders use of a protobuf message."""

    ONE_OF: ClassVar[tuple[str, ...]] = ()

    def WhichOneof(self, group: str) -> str | None:  # noqa: ARG002
        """The name of the field of this message's one group that is set."""
        for name in self.ONE_OF:
            if getattr(self, name) is not None:
                return name
        return None

    def HasField(self, name: str) -> bool:
        """Whether an optional field is set."""
        return getattr(self, name) is not None


class ArrayValue(_Message):
    """A list as attribute value."""

    values: list[AnyValue] | None = None


class KeyValueList(_Message):
    """A map as attribute value."""

    values: list[KeyValue] | None = None


class AnyValue(_Message):
    """An attribute's value or a log's body; bytes are base64."""

    ONE_OF: ClassVar = (
        "string_value", "bool_value", "int_value", "double_value", "array_value", "kvlist_value",
        "bytes_value",
    )  # fmt: skip
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | None = None
    double_value: float | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None
    bytes_value: str | None = None


class KeyValue(_Message):
    """An attribute."""

    key: str = ""
    value: AnyValue | None = None


class Resource(_Message):
    """Who sends."""

    attributes: list[KeyValue] | None = None


class Scope(_Message):
    """The instrumentation that made the signals."""

    name: str = ""
    version: str = ""


class NumberDataPoint(_Message):
    """A number at a time."""

    ONE_OF: ClassVar = ("as_double", "as_int")
    attributes: list[KeyValue] | None = None
    time_unix_nano: int = 0
    as_double: float | None = None
    as_int: int | None = None
    flags: int = 0


class HistogramDataPoint(_Message):
    """Counts between given bounds."""

    attributes: list[KeyValue] | None = None
    time_unix_nano: int = 0
    count: int = 0
    sum: float | None = None
    bucket_counts: list[int] | None = None
    explicit_bounds: list[float] | None = None
    flags: int = 0


class Buckets(_Message):
    """Counts between powers of a base."""

    offset: int = 0
    bucket_counts: list[int] | None = None


class ExponentialHistogramDataPoint(_Message):
    """Counts between powers of 2^(2^-scale)."""

    attributes: list[KeyValue] | None = None
    time_unix_nano: int = 0
    count: int = 0
    sum: float | None = None
    scale: int = 0
    zero_count: int = 0
    positive: Buckets = msgspec.field(default_factory=Buckets)
    negative: Buckets = msgspec.field(default_factory=Buckets)
    flags: int = 0
    zero_threshold: float = 0.0


class ValueAtQuantile(_Message):
    """One quantile of a summary."""

    quantile: float = 0.0
    value: float = 0.0


class SummaryDataPoint(_Message):
    """Quantiles that the sender has computed."""

    attributes: list[KeyValue] | None = None
    time_unix_nano: int = 0
    count: int = 0
    sum: float = 0.0
    quantile_values: list[ValueAtQuantile] | None = None
    flags: int = 0


class Gauge(_Message):
    """Points of a gauge."""

    data_points: list[NumberDataPoint] | None = None


class Sum(_Message):
    """Points of a sum."""

    data_points: list[NumberDataPoint] | None = None
    aggregation_temporality: int | str = 0
    is_monotonic: bool = False


class Histogram(_Message):
    """Points of a histogram."""

    data_points: list[HistogramDataPoint] | None = None
    aggregation_temporality: int | str = 0


class ExponentialHistogram(_Message):
    """Points of an exponential histogram."""

    data_points: list[ExponentialHistogramDataPoint] | None = None
    aggregation_temporality: int | str = 0


class Summary(_Message):
    """Points of a summary."""

    data_points: list[SummaryDataPoint] | None = None


class Metric(_Message):
    """A metric with its points."""

    ONE_OF: ClassVar = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
    name: str = ""
    unit: str = ""
    gauge: Gauge | None = None
    sum: Sum | None = None
    histogram: Histogram | None = None
    exponential_histogram: ExponentialHistogram | None = None
    summary: Summary | None = None


class ScopeMetrics(_Message):
    """Metrics of one instrumentation."""

    scope: Scope = msgspec.field(default_factory=Scope)
    metrics: list[Metric] | None = None


class ResourceMetrics(_Message):
    """Metrics of one resource."""

    resource: Resource = msgspec.field(default_factory=Resource)
    scope_metrics: list[ScopeMetrics] | None = None


class MetricsRequest(_Message):
    """The body of POST /v1/metrics."""

    resource_metrics: list[ResourceMetrics] | None = None


class LogRecord(_Message):
    """A log record."""

    time_unix_nano: int = 0
    observed_time_unix_nano: int = 0
    severity_number: int | str = 0
    severity_text: str = ""
    body: AnyValue | None = None
    attributes: list[KeyValue] | None = None
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""


class ScopeLogs(_Message):
    """Log records of one instrumentation."""

    scope: Scope = msgspec.field(default_factory=Scope)
    log_records: list[LogRecord] | None = None


class ResourceLogs(_Message):
    """Log records of one resource."""

    resource: Resource = msgspec.field(default_factory=Resource)
    scope_logs: list[ScopeLogs] | None = None


class LogsRequest(_Message):
    """The body of POST /v1/logs."""

    resource_logs: list[ResourceLogs] | None = None


class SpanEvent(_Message):
    """Something that happened within a span."""

    name: str = ""
    attributes: list[KeyValue] | None = None


class Status(_Message):
    """How a span ended."""

    message: str = ""
    code: int | str = 0


class Span(_Message):
    """A span."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    attributes: list[KeyValue] | None = None
    events: list[SpanEvent] | None = None
    status: Status = msgspec.field(default_factory=Status)


class ScopeSpans(_Message):
    """Spans of one instrumentation."""

    scope: Scope = msgspec.field(default_factory=Scope)
    spans: list[Span] | None = None


class ResourceSpans(_Message):
    """Spans of one resource."""

    resource: Resource = msgspec.field(default_factory=Resource)
    scope_spans: list[ScopeSpans] | None = None


class TracesRequest(_Message):
    """The body of POST /v1/traces."""

    resource_spans: list[ResourceSpans] | None = None
