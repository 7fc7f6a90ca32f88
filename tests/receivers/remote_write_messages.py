"""Remote write's messages through Google's protobuf library: a second opinion on the wire format, and the way
tests make bodies. The fields are those of prompb/remote.proto and types.proto."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_KINDS = {
    "string": 9,
    "double": 1,
    "int64": 3,
    "int32": 5,
    "message": 11,
}
_MESSAGES: dict[str, list[tuple[int, str, str, bool]]] = {
    "Label": [(1, "name", "string", False), (2, "value", "string", False)],
    "Sample": [(1, "value", "double", False), (2, "timestamp", "int64", False)],
    "Exemplar": [
        (1, "labels", "Label", True),
        (2, "value", "double", False),
        (3, "timestamp", "int64", False),
    ],
    "Histogram": [(3, "sum", "double", False), (15, "timestamp", "int64", False)],
    "TimeSeries": [
        (1, "labels", "Label", True),
        (2, "samples", "Sample", True),
        (3, "exemplars", "Exemplar", True),
        (4, "histograms", "Histogram", True),
    ],
    "MetricMetadata": [
        (1, "type", "int32", False),
        (2, "metric_family_name", "string", False),
        (4, "help", "string", False),
        (5, "unit", "string", False),
    ],
    "WriteRequest": [(1, "timeseries", "TimeSeries", True), (3, "metadata", "MetricMetadata", True)],
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="test", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind, repeated in fields:
            added = message.field.add(name=field, number=number, label=3 if repeated else 1)
            added.type = _KINDS.get(kind, _KINDS["message"])  # type: ignore[assignment]
            if kind in _MESSAGES:
                added.type_name = f".test.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{n}")) for n in _MESSAGES}


CLASSES = _classes()
WriteRequest = CLASSES["WriteRequest"]


def request(series: Iterable[tuple[Mapping[str, str], Iterable[tuple[float, int]]]]) -> Any:
    """A WriteRequest: labels and (value, Unix ms) of each time series."""
    out = WriteRequest()
    for labels, samples in series:
        one = out.timeseries.add()
        for name, value in labels.items():
            one.labels.add(name=name, value=value)
        for value, time in samples:
            one.samples.add(value=value, timestamp=time)
    return out


def packed(message: Any) -> bytes:
    """As it goes over the wire: serialised, snappy's block format."""
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def samples(message: Any) -> list[tuple[dict[str, str], int, float]]:
    """Labels, time and value of every sample, in order."""
    return [
        ({label.name: label.value for label in one.labels}, s.timestamp, s.value)
        for one in message.timeseries
        for s in one.samples
    ]
