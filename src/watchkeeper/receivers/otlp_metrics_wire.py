"""OTLP's metrics walked over the buffer: of every point of a gauge or sum its time and its value, and a hash of all else
that it is: resource, scope, metric and attributes. It makes no objects and decodes no text. What protobuf has once taken
it takes again, so who knows a hash need not look at its bytes; all that a hash does not cover is checked here.

Only what exporters write is walked (tags of one byte, lengths of at most four); of anything else nothing is found, and
protobuf has to read it. https://github.com/open-telemetry/opentelemetry-proto, metrics/v1/metrics.proto
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.receivers.known_series import siphash, siphash_words, word
from watchkeeper.receivers.wire import Positions, U, compiled, inlined

_MESSAGE = U(2)  # wire type of what has a length
_REQUEST, _RESOURCE, _SCOPE, _METRIC, _DATA = U(1), U(2), U(3), U(4), U(5)  # levels
_CHILDREN = np.array([0, 1 << 1, 1 << 2, 1 << 2, 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11, 1 << 1], U)
"""By level: the numbers of the fields that are not a part of what the level itself is."""
_GAUGE, _SUM = U(0x2A), U(0x3A)
_START, _TIME, _DOUBLE, _INTEGER = 0x11, 0x19, 0x21, 0x31  # tags of a NumberDataPoint
_EXEMPLARS, _ATTRIBUTES, _FLAGS = 0x2A, 0x3A, 0x40
_WORDS = 32  # fields beside its children that a message may have
_A_POINT = 48  # bytes; room is made for so many, and made again where they are smaller
_NONE, _WHOLE_NUMBER, _FLOAT = 0, 1, 2  # sorts of value


@dataclass(slots=True)
class Walked:
    """Per metric, in the order of the request: where its points begin among all, and one place behind the last; whether
    protobuf alone can read it, and then it has none. Per point: a hash of what it is (0: something in it is not known
    here), nanoseconds, value (NaN for none) and whether there is one. `unchecked` says that something was passed over
    that protobuf would look at."""

    firsts: NDArray[np.int64]
    opaque: NDArray[np.bool_]
    hashes: Positions
    times: Positions
    values: NDArray[np.float64]
    valued: NDArray[np.bool_]
    unchecked: bool


def walk(data: NDArray[np.uint8], key: Positions) -> Walked | None:
    """Read an ExportMetricsServiceRequest, with the key that hashes are made with; None when it is not written as
    exporters do."""
    room = len(data) // _A_POINT + 16
    for _ in range(2):
        firsts, opaque = np.zeros(room + 1, np.int64), np.zeros(room, np.bool_)
        hashes, times, bits, sorts = (
            np.zeros(room, U),
            np.zeros(room, U),
            np.zeros(room, U),
            np.zeros(room, np.uint8),
        )
        found = np.zeros(4, U)
        if not _walk(data, key, found, firsts, opaque, hashes, times, bits, sorts):
            return None
        metrics, points = int(found[0]), int(found[1])
        if max(metrics, points) <= room:
            break
        room = max(metrics, points)
    bits, sorts = bits[:points], sorts[:points]
    values = np.where(sorts == _WHOLE_NUMBER, bits.view(np.int64).astype(np.float64), bits.view(np.float64))
    return Walked(
        firsts[: metrics + 1],
        opaque[:metrics],
        hashes[:points],
        times[:points],
        values,
        sorts != _NONE,
        bool(found[2]),
    )


@inlined
def _length(data, at, end):
    """A length at `at`, of at most four bytes, and where what it is of begins; that is 0 when it reaches beyond `end`."""
    size = shift = U(0)
    while at < end and shift < U(28):
        byte = U(data[at])
        at += U(1)
        size |= (byte & U(127)) << shift
        if byte < U(128):
            return (size, at) if size <= end - at else (size, U(0))
        shift += U(7)
    return size, U(0)


@compiled
def _field(data, at, end):
    """Tag, and begin and end of the value of the field at `at`; the begin is 0 when it is not a whole field with a tag
    of one byte."""
    tag = U(data[at])
    at += U(1)
    kind = tag & U(7)
    if tag < U(8) or tag >= U(128):
        return tag, U(0), U(0)
    if kind == _MESSAGE:
        size, at = _length(data, at, end)
        return tag, at, at + size
    if kind == U(0):
        begin = at
        while at < end and at - begin < U(10):
            at += U(1)
            if data[at - U(1)] < 128:
                return tag, begin, at
        return tag, U(0), U(0)
    size = U(8) if kind == U(1) else U(4)
    if (kind != U(1) and kind != U(5)) or size > end - at:
        return tag, U(0), U(0)
    return tag, at, at + size


@compiled
def _is_child(tag, level):
    return tag & U(7) == _MESSAGE and (_CHILDREN[level] >> (tag >> U(3))) & U(1) == U(1)


@compiled
def _context(data, at, end, level, above, key, words):
    """A hash of this message without its children, within what is above it; 0 when there is something strange in it."""
    words[0], words[1] = above, level
    count = 2
    while at < end:
        begin = at
        tag, inner, at = _field(data, at, end)
        if inner == U(0):
            return U(0)
        if not _is_child(tag, level):
            if count == _WORDS:
                return U(0)
            words[count] = siphash(data, begin, at, key)
            count += 1
    return siphash_words(words, count, key)


@compiled
def _point(data, at, end, above, key, row, hashes, times, bits, sorts):
    """Read a NumberDataPoint in `[at, end)`; 0, 1 when there is something in it that was not checked, 2 when it is
    broken. It is kept as `row`, if there is such a row."""
    first = last = at
    pure, unchecked, sort = True, 0, _NONE
    time = value = U(0)
    while at < end:
        begin = at
        tag, inner, at = _field(data, at, end)
        if inner == U(0):
            return 2
        if tag == U(_ATTRIBUTES):
            if first == last:
                first = begin
            elif last != begin:
                pure = False
            last = at
        elif tag == U(_TIME):
            time = word(data, inner)
        elif tag == U(_DOUBLE) or tag == U(_INTEGER):
            value = word(data, inner)
            sort = _FLOAT if tag == U(_DOUBLE) else _WHOLE_NUMBER
        elif tag == U(_EXEMPLARS):
            unchecked = 1
        elif tag == U(_FLAGS):
            pure = pure and at - inner == U(1) and data[inner] & 1 == 0
        elif tag != U(_START):
            pure = False
    if row < U(len(hashes)):
        words = np.empty(2, U)
        words[0], words[1] = above, siphash(data, first, last, key)
        hashes[row] = siphash_words(words, 2, key) if pure else U(0)
        times[row], bits[row], sorts[row] = time, value, sort
    return unchecked


@compiled
def _points(data, at, end, above, key, found, hashes, times, bits, sorts):
    """Read the points of a Gauge or Sum; whether it is whole."""
    while at < end:
        tag, inner, at = _field(data, at, end)
        if _is_child(tag, _DATA):
            outcome = _point(data, inner, at, above, key, found[1], hashes, times, bits, sorts)
            if outcome == 2:
                return False
            found[1] += U(1)
            found[2] |= U(outcome)
    return True


@compiled
def _metric(data, at, end, above, key, words, found, hashes, times, bits, sorts):
    """Read the points of a Metric: 0, 1 when protobuf has to, 2 when it is strange."""
    context = _context(data, at, end, _METRIC, above, key, words)
    if context == U(0):
        return 2
    count, kind, begin, stop = 0, U(0), U(0), U(0)
    while at < end:
        tag, inner, at = _field(data, at, end)
        if _is_child(tag, _METRIC):
            count, kind, begin, stop = count + 1, tag, inner, at
    if count != 1 or (kind != _GAUGE and kind != _SUM):
        return 1
    words[0], words[1] = context, kind
    before = found[1]
    within = _context(data, begin, stop, _DATA, siphash_words(words, 2, key), key, words)
    if within == U(0) or not _points(data, begin, stop, within, key, found, hashes, times, bits, sorts):
        return 2
    found[2] |= U(found[1] == before)  # of what is around no point no hash is known
    return 0


@compiled
def _scope(data, at, end, above, key, words, found, firsts, opaque, hashes, times, bits, sorts):
    """Read the metrics of a ScopeMetrics; whether nothing in it is strange."""
    context = _context(data, at, end, _SCOPE, above, key, words)
    if context == U(0):
        return False
    before = found[0]
    while at < end:
        tag, inner, at = _field(data, at, end)
        if _is_child(tag, _SCOPE):
            outcome = _metric(data, inner, at, context, key, words, found, hashes, times, bits, sorts)
            if outcome == 2:
                return False
            if found[0] < U(len(opaque)):
                opaque[found[0]] = outcome == 1
                firsts[found[0] + U(1)] = found[1]
            found[0] += U(1)
    found[2] |= U(found[0] == before)
    return True


@compiled
def _walk(data, key, found, firsts, opaque, hashes, times, bits, sorts):
    """found: metrics, points, whether something was not checked. Keeps as much as there is room for; False when
    something is strange."""
    words = np.empty(_WORDS, U)
    at, end = U(0), U(len(data))
    while at < end:
        tag, resource, at = _field(data, at, end)
        if resource == U(0) or not _is_child(tag, _REQUEST):
            return False
        context = _context(data, resource, at, _RESOURCE, U(0), key, words)
        if context == U(0):
            return False
        before = found[0]
        while resource < at:
            tag, inner, resource = _field(data, resource, at)
            if _is_child(tag, _RESOURCE) and not _scope(
                data, inner, resource, context, key, words, found, firsts, opaque, hashes, times, bits, sorts
            ):
                return False
        found[2] |= U(found[0] == before)
    return True
