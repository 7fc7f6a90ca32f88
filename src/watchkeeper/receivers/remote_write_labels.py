"""What a label set of a time series says, and what metadata says of a metric family: decoded and checked,
once per label set. Nothing here sees a sample.
"""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.model.errors import Malformed
from watchkeeper.model.series import NAME
from watchkeeper.receivers.series import kind_and_unit

_FAMILIES = 100_000
_LONGEST_NAME = 1000  # characters of a family that metadata is kept of
LARGEST = 64 * 1024
"""Bytes of one label set."""

_SUFFIXES = ("", "_total", "_sum", "_count", "_bucket")
_KINDS = {1: "counter", 2: "gauge", 3: "histogram", 4: "histogram", 5: "summary", 6: "gauge", 7: "gauge"}


def labels(body: bytes, at: int, end: int) -> dict[str, str]:
    """The labels among the fields in `[at, end)`; those without a value are left out, as they mean none.

    Raises Malformed with the reasons `bad_label`, `invalid_utf8`, `duplicate_label`, `no_name`,
    `labels_too_large`. Labels need not be sorted: Prometheus' own receiver does not insist either, and the
    series is the same.
    """
    if end - at > LARGEST:
        raise Malformed(f"labels of {end - at} bytes; at most {LARGEST} are taken", reason="labels_too_large")
    found: dict[str, str] = {}
    for number, message in fields(body, at, end):
        if number == 1 and isinstance(message, bytes):
            name, value = _label(message)
            if name in found:
                raise Malformed(f"label {name!r} is there twice", reason="duplicate_label")
            found[name] = value
    found = {name: value for name, value in found.items() if value}
    if NAME not in found:
        raise Malformed(f"a series without a name: {str(found)[:200]}", reason="no_name")
    return found


def _label(message: bytes) -> tuple[str, str]:
    size = len(message)
    # nearly all are name and value, shorter than 128 bytes
    if size > 4 and message[0] == 10 and 0 < message[1] < min(128, size - 3):
        split = 2 + message[1]
        if message[split] == 18 and message[split + 1] < 128 and split + 2 + message[split + 1] == size:
            return _text(message[2:split]), _text(message[split + 2 :])
    given: dict[int, bytes] = {n: v for n, v in fields(message, 0, size) if isinstance(v, bytes)}
    if not given.get(1):
        raise Malformed("a label without a name", reason="bad_label")
    return _text(given[1]), _text(given.get(2, b""))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a label is not UTF-8: {raw[:60]!r}", reason="invalid_utf8") from error


class Families:
    """Kind and unit of metrics, from metadata where it has been sent, else from the name. The first word on a
    family stands until the process ends: senders that differ must not turn a series to and fro."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, str]] = {}

    def learn(self, message: bytes) -> list[str]:
        """Take in one MetricMetadata; give the metric names of which it says something. Raises Malformed."""
        given = dict(fields(message, 0, len(message)))
        name, unit = (_text(v) if isinstance(v := given.get(n, b""), bytes) else "" for n in (2, 5))
        return self.tell(name, number if isinstance(number := given.get(1), int) else 0, unit)

    def tell_of_metric(self, metric: str, number: int, unit: str) -> list[str]:
        """Take in what is said of one metric, not of its family; give the metric names of which it says something."""
        family, _, suffix = metric.rpartition("_")
        grouped = _KINDS.get(number) in ("histogram", "summary") and suffix in ("sum", "count", "bucket")
        return self.tell(family if grouped else metric, number, unit)

    def tell(self, name: str, number: int, unit: str) -> list[str]:
        """Take in kind (a MetricType) and unit of a family; give the metric names of which it says something."""
        kind = _KINDS.get(number)
        if kind is None or name in self._told or len(self._told) >= _FAMILIES:
            return []
        if not 0 < len(name) <= _LONGEST_NAME:
            return []
        self._told[name] = kind, unit
        return [name + suffix for suffix in _SUFFIXES]

    def kind_and_unit(self, name: str) -> tuple[str, str]:
        """Kind and unit of the metric with this name.

        >>> families = Families()
        >>> _ = families.learn(bytes([8, 3, 18, 3]) + b"lag")
        >>> families.kind_and_unit("lag_sum"), families.kind_and_unit("up")
        (('counter', ''), ('unknown', ''))
        """
        guess = kind_and_unit(name)
        told = self._told.get(name)
        if told is not None:
            return told[0], told[1] or guess[1]
        stem, _, suffix = name.rpartition("_")
        kind, unit = self._told.get(stem, ("", ""))
        if (kind == "counter" and suffix == "total") or (
            kind in ("histogram", "summary") and suffix == "sum"
        ):
            return "counter", unit or guess[1]
        return guess


def fields(body: bytes, at: int, end: int) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each protobuf field in `[at, end)`: varints as int, all others as bytes.
    Raises Malformed."""
    while at < end:
        tag, at = _varint(body, at, end)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(body, at, end)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(body, at, end)
        else:
            size = {1: 8, 5: 4}.get(wire, end)
        if number == 0 or size > end - at:
            raise Malformed(f"not protobuf: there is no whole field at byte {at}", reason="bad_label")
        yield number, body[at : at + size]
        at += size


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
    raise Malformed(f"not protobuf: a number runs past the end at byte {at}", reason="bad_label")
