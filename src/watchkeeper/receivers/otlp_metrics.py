"""OTLP's metrics as rows of the samples stream, each series asked for in the table that all doors share.

Histograms and summaries become series as Prometheus has them: name_bucket with `le`, name{quantile},
name_count and name_sum. Exemplars, and a histogram's minimum and maximum, are not kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
import pyarrow as pa

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.receivers.otlp_histograms import BadHistogram, explicit_buckets, exponential_buckets, le
from watchkeeper.receivers.otlp_metrics_known import KnownPoints, Recalled, Rows, Sample
from watchkeeper.receivers.otlp_values import (
    DESCRIPTIVE,
    MAX_NS,
    NAME,
    Message,
    Refused,
    alone,
    clean,
    labels,
    number,
    resource_labels,
)
from watchkeeper.receivers.series import SeriesTable

DELTA = {"otel.temporality": "delta"}
_TEMPORALITIES = {"AGGREGATION_TEMPORALITY_DELTA": 1, "AGGREGATION_TEMPORALITY_CUMULATIVE": 2}
_NO_VALUE = 1  # flag: the series has ended or has a gap
_PATH = ("resource_metrics", "scope_metrics", "metrics")

Part = tuple[str, dict[str, str], str, float]
"""One sample of a point: suffix of the name, labels besides the point's, kind, value."""


class BadPoint(Exception):
    """A point that cannot be used. The first argument is the reason."""


class _Metric(NamedTuple):
    """A metric and where it stands."""

    message: Message
    name: str
    unit: str
    base: dict[str, str]  # labels of its resource and scope
    raw: bytes  # the same as bytes


class OtlpMetrics:
    """Decodes ExportMetricsServiceRequest. Any thread may use it."""

    def __init__(self, series: SeriesTable) -> None:
        self._series = series
        self._known = KnownPoints(series)

    def recall(self, body: bytes) -> Recalled | None:
        """What is known of a request by its bytes. Where it is complete, its `batch` is what `samples` would give."""
        return self._known.recall(body)

    def samples(
        self, request: Message, now_ms: int, refused: Refused, recalled: Recalled | None = None  # noqa: ARG002
    ) -> pa.RecordBatch | None:  # fmt: skip
        """The samples of every valid point, or None when there is none; the others go to `refused`: without
        time, value or name, buckets that fit no bounds, and series for which there is no room. What is `recalled` of
        the request is not looked at."""
        rows = Rows(recalled)
        number = 0
        for group in request.resource_metrics or ():
            for scoped in group.scope_metrics or ():
                around: tuple[dict[str, str], bytes] | None = None
                for message in scoped.metrics or ():
                    if rows.begin(number):
                        around = around or _around(group, scoped)
                        metric = _Metric(message, clean(message.name), clean(message.unit), *around)
                        faults = self._metric(metric, rows)
                        for reason, count in faults.items():
                            only = alone(request, group, scoped, _PATH, message)
                            refused.add(reason, f"metric {metric.name[:100]!r}", only, count)
                    number += 1
        self._known.remember(rows.new)
        return rows.batch()

    def _metric(self, metric: _Metric, rows: Rows) -> dict[str, int]:
        """Append the samples of a metric; give the reasons why points of it are refused, with a number."""
        faults: dict[str, int] = {}
        which = metric.message.WhichOneof("data")
        if which is None:
            return faults
        data = getattr(metric.message, which)
        delta = which not in ("gauge", "summary") and (
            number(data.aggregation_temporality, _TEMPORALITIES) == 1
        )
        kind = "gauge"
        if which in ("histogram", "exponential_histogram") or (which == "sum" and data.is_monotonic):
            # a delta is no count that rises: what it says is how much there was since the last one
            kind = "gauge" if delta else "counter"
        for at, point in enumerate(data.data_points or ()):
            if rows.has(at) or point.flags & _NO_VALUE:
                continue
            try:
                mark, hashed = DELTA if delta else {}, rows.hash(at) != 0
                rows.add(at, self._point(metric, which, point, kind, mark, hashed))
            except (BadPoint, OverflowError) as error:  # JSON knows numbers of any size
                reason = str(error.args[0]) if isinstance(error, BadPoint) else "bad_value"
                faults[reason] = faults.get(reason, 0) + 1
        return faults

    def _point(
        self, metric: _Metric, which: str, point: Message, kind: str, mark: dict[str, str], hashed: bool
    ) -> list[Sample]:
        """The samples of a point, all or none; its series are remembered here unless the point is `hashed`, and so will be
        known by that. Raises BadPoint."""
        if not metric.name:
            raise BadPoint("no_name")
        if not 0 < point.time_unix_nano <= MAX_NS:
            raise BadPoint("bad_time")
        time_ms = point.time_unix_nano // 1_000_000
        raw = b""
        if not hashed:
            raw = metric.raw + f"{metric.name}\0{metric.unit}\0{mark}\0".encode() + _raw(point.attributes)
        own: dict[str, str] | None = None  # the point's labels, made when a series is not remembered
        mine: list[Sample] = []
        for suffix, more, part_kind, value in _parts(which, point, kind):
            if math.isnan(value):
                continue  # the absence of a value
            part = raw + f"\0{suffix}{more}{part_kind}".encode()
            series = None if hashed else self._series.lookup_raw(part)
            if series is None:
                own = own or {**metric.base, **labels(point.attributes), **mark}
                series = self._declare(metric, suffix, {**own, **more}, part_kind)
                if not hashed:
                    self._series.remember_raw(part, series)
            mine.append((series, time_ms, value))
        return mine

    def _declare(self, metric: _Metric, suffix: str, own: dict[str, str], kind: str) -> int:
        """The series with these labels. Raises BadPoint."""
        unit = "" if suffix in ("_bucket", "_count") else metric.unit
        try:
            return self._series.lookup(metric.name + suffix, own, kind, unit, NAME)
        except WatchkeeperError as error:
            raise BadPoint(error.reason) from error


def _around(group: Message, scoped: Message) -> tuple[dict[str, str], bytes]:
    """The labels of a resource and a scope, and the same as bytes."""
    resource = {k: v for k, v in resource_labels(group).items() if k not in DESCRIPTIVE}
    scope = clean(scoped.scope.name)
    base = {**resource, "otel.scope.name": scope} if scope else resource
    return base, b"otlp\0" + msgspec.json.encode(base)


def _raw(attributes: Iterable[Message] | None) -> bytes:
    """Attributes as bytes, the same for the same attributes in the same order."""
    return b"\0".join(
        [
            msgspec.json.encode(a) if isinstance(a, msgspec.Struct) else a.SerializeToString()
            for a in attributes or ()
        ]
    )


def _parts(which: str, point: Message, kind: str) -> Iterable[Part]:
    """The samples of a point. Raises BadPoint."""
    if which in ("gauge", "sum"):
        value = point.WhichOneof("value")
        if value is None:
            raise BadPoint("no_value")
        return (("", {}, kind, float(getattr(point, value))),)
    if which == "summary":
        return _summary(point)
    try:
        buckets = explicit_buckets(point) if which == "histogram" else exponential_buckets(point)
    except BadHistogram as error:
        raise BadPoint("bad_histogram") from error
    return _histogram(point, buckets, kind)


def _histogram(point: Message, buckets: Iterable[tuple[float, int]], kind: str) -> Iterator[Part]:
    for bound, below in buckets:
        yield "_bucket", {"le": le(bound)}, kind, float(below)
    yield "_count", {}, kind, float(point.count)
    if point.HasField("sum"):
        yield "_sum", {}, kind, point.sum


def _summary(point: Message) -> Iterator[Part]:
    for at in point.quantile_values or ():
        if not 0 <= at.quantile <= 1:
            raise BadPoint("bad_quantile")
        yield "", {"quantile": le(at.quantile)}, "summary", at.value
    yield "_count", {}, "counter", float(point.count)
    yield "_sum", {}, "counter", point.sum
