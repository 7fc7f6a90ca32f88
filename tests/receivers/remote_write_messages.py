"""Remote write's messages through Google's protobuf library: a second opinion on the wire format, and the way
tests make bodies. The fields are those of prompb/remote.proto and types.proto, and for 2.0 those of
io/prometheus/write/v2/types.proto."""

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
    "uint32": 13,
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
_MESSAGES_2: dict[str, list[tuple[int, str, str, bool]]] = {
    "Sample": [(1, "value", "double", False), (2, "timestamp", "int64", False), (3, "start_timestamp", "int64", False)],
    "Exemplar": [
        (1, "labels_refs", "uint32", True),
        (2, "value", "double", False),
        (3, "timestamp", "int64", False),
    ],
    "Histogram": [(3, "sum", "double", False), (15, "timestamp", "int64", False)],
    "Metadata": [(1, "type", "int32", False), (3, "help_ref", "uint32", False), (4, "unit_ref", "uint32", False)],
    "TimeSeries": [
        (1, "labels_refs", "uint32", True),
        (2, "samples", "Sample", True),
        (3, "histograms", "Histogram", True),
        (4, "exemplars", "Exemplar", True),
        (5, "metadata", "Metadata", False),
        (6, "created_timestamp", "int64", False),
    ],
    "Request": [(4, "symbols", "string", True), (5, "timeseries", "TimeSeries", True)],
}  # fmt: skip


def _classes(messages: dict[str, list[tuple[int, str, str, bool]]]) -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="test", syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, field, kind, repeated in fields:
            added = message.field.add(name=field, number=number, label=3 if repeated else 1)
            added.type = _KINDS.get(kind, _KINDS["message"])  # type: ignore[assignment]
            if kind in messages:
                added.type_name = f".test.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{n}")) for n in messages}


CLASSES, CLASSES_2 = _classes(_MESSAGES), _classes(_MESSAGES_2)
WriteRequest, Request = CLASSES["WriteRequest"], CLASSES_2["Request"]


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


def request_2(series: Iterable[tuple[Mapping[str, str], Iterable[tuple[float, int]]]]) -> Any:
    """A Request of 2.0: labels and (value, Unix ms) of each time series."""
    out = Request()
    symbols = {"": 0}
    for labels, samples in series:
        one = out.timeseries.add()
        for text in (x for pair in labels.items() for x in pair):
            one.labels_refs.append(symbols.setdefault(text, len(symbols)))
        for value, time in samples:
            one.samples.add(value=value, timestamp=time)
    out.symbols.extend(symbols)
    return out
