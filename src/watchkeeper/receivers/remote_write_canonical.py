"""New label sets, many at once: the bytes that a series' id is the hash of and its labels as JSON, compiled. It
knows label sets as Prometheus writes them (sorted, no label twice, none empty, plain ASCII); the others are left
to remote_write_labels, with which this agrees.
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.series import NAME
from watchkeeper.receivers.remote_write_labels import LARGEST
from watchkeeper.receivers.wire import Positions, U, compiled

_NAME = np.frombuffer(NAME.encode(), np.uint8)
_PLACES = 6  # canonical begin and end, JSON begin and end, name begin and end


class LabelSet(NamedTuple):
    """One of the new label sets: which, the id of its series, the metric's name and all other labels as JSON."""

    number: int
    series: int
    name: bytes
    labels: str


def label_sets(data: NDArray[np.uint8], first: Positions, last: Positions) -> Iterator[LabelSet]:
    """Those of the label sets in `[first, last)` that are written as Prometheus does, numbered by their place.
    Ids are those of model.series.series_id."""
    size = int((last - first).sum())
    canonical, document = np.empty(2 * size, np.uint8), np.empty(size + 2 * len(first), np.uint8)
    places = np.zeros((len(first), _PLACES), np.int64)
    _write(data, first, last, canonical, document, places)
    texts = document.tobytes()
    hashed = canonical.data
    for i, (begin, end, text, text_end, name, name_end) in enumerate(places.tolist()):
        if end > begin:
            digest = blake2b(hashed[begin:end], digest_size=8).digest()
            labels = texts[text:text_end].decode("ascii")
            yield LabelSet(i, int.from_bytes(digest, "little"), data[name:name_end].tobytes(), labels)


@compiled
def _size(data, at, end):
    """The length at `at`, of one or two bytes, and where what it is the length of begins; that is 0 when it is
    longer than what is left."""
    if at >= end:
        return U(0), U(0)
    size = U(data[at])
    at += U(1)
    if size >= U(128):
        if at >= end or data[at] >= 128:
            return U(0), U(0)
        size = (size & U(127)) | (U(data[at]) << U(7))
        at += U(1)
    return (size, at) if size <= end - at else (U(0), U(0))


@compiled
def _part(data, at, end, tag):
    """Begin and end of the text in the field with this tag; begin is 0 when it is not that or is empty."""
    if at >= end or data[at] != tag:
        return U(0), U(0)
    size, begin = _size(data, at + U(1), end)
    if begin == U(0) or size == U(0):
        return U(0), U(0)
    for i in range(begin, begin + size):
        byte = data[i]
        if byte < 32 or byte > 126 or byte == 34 or byte == 92:
            return U(0), U(0)
    return begin, begin + size


@compiled
def _compare(a, a_begin, a_end, b, b_begin, b_end):
    """Below 0, 0 or above it, as bytes are ordered."""
    common = min(a_end - a_begin, b_end - b_begin)
    for i in range(common):
        difference = np.int64(a[a_begin + i]) - np.int64(b[b_begin + i])
        if difference != 0:
            return difference
    return np.int64(a_end - a_begin) - np.int64(b_end - b_begin)


@compiled
def _put(data, begin, end, out, at):
    for i in range(end - begin):
        out[at + i] = data[begin + i]
    return at + (end - begin)


@compiled
def _put_sized(data, begin, end, out, at):
    """The text behind its length, four bytes, little-endian."""
    size = end - begin
    for i in range(U(4)):
        out[at + i] = np.uint8((size >> (U(8) * i)) & U(255))
    return _put(data, begin, end, out, at + U(4))


@compiled
def _put_pair(data, name, name_end, value, value_end, out, at):
    """`"name":"value",` as JSON."""
    out[at] = 34
    at = _put(data, name, name_end, out, at + U(1))
    out[at], out[at + U(1)], out[at + U(2)] = 34, 58, 34
    at = _put(data, value, value_end, out, at + U(3))
    out[at], out[at + U(1)] = 34, 44
    return at + U(2)


@compiled
def _write(data, first, last, canonical, document, places):
    at = text = U(0)
    for i in range(len(first)):
        here, end = first[i], last[i]
        began, text_began = at, text
        document[text] = 123
        text += U(1)
        name_end = value = before = before_end = U(0)
        while here < end and end - first[i] <= LARGEST:
            size, inner = _size(data, here + U(1), end) if data[here] == 10 else (U(0), U(0))
            here = inner + size
            name, stop = _part(data, inner, here, 10)
            value, value_stop = _part(data, stop, here, 18) if name > U(0) else (U(0), U(0))
            if value == U(0) or value_stop != here:
                break
            if before_end > U(0) and _compare(data, before, before_end, data, name, stop) >= 0:
                value = U(0)
                break
            before, before_end = name, stop
            at = _put_sized(data, value, value_stop, canonical, _put_sized(data, name, stop, canonical, at))
            if _compare(data, name, stop, _NAME, U(0), U(8)) == 0:
                places[i, 4], places[i, 5] = value, value_stop
                name_end = value_stop
            else:
                text = _put_pair(data, name, stop, value, value_stop, document, text)
        if here != end or name_end == U(0) or value == U(0):
            at, text = began, text_began  # not as Prometheus writes, or no name
            continue
        text -= U(document[text - U(1)] == 44)
        document[text] = 125
        text += U(1)
        places[i, 0], places[i, 1], places[i, 2], places[i, 3] = began, at, text_began, text
