"""Columns of strings from places in a buffer, compiled: bytes are copied once and no Python string is made."""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.receivers.syslog_fields import MSGID, PID, compiled
from watchkeeper.receivers.syslog_message import FACILITIES

Spans = NDArray[np.int64]

_OPENINGS = [f'{{"facility":"{name}"'.encode() for name in FACILITIES]
_OPENING = np.frombuffer(b"".join(_OPENINGS), np.uint8)
_OPENING_ENDS = np.cumsum([0, *(len(o) for o in _OPENINGS)])
_MSGID = np.frombuffer(b',"msgid":"', np.uint8)
_PID = np.frombuffer(b',"pid":"', np.uint8)


def strings(data: NDArray[np.uint8], begins: Spans, ends: Spans) -> pa.StringArray:
    """The texts `data[begins[i]:ends[i]]`, which must be UTF-8, as a column."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    np.cumsum(ends - begins, out=offsets[1:])
    out = np.empty(offsets[-1], np.uint8)
    _gather(data, begins, ends, out)
    return _column(offsets, out)


def labels(
    data: NDArray[np.uint8], spans: Spans, priorities: NDArray[np.uint8], begins: Spans, ends: Spans
) -> pa.StringArray:
    """Labels as JSON: the facility of the priority, and message id and pid from the spans; or, where `ends` is
    not 0, what `data` already has as JSON in `[begins, ends)`."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    _measure_labels(spans, priorities, begins, ends, offsets)
    out = np.empty(offsets[-1], np.uint8)
    _write_labels(data, spans, priorities, begins, ends, offsets, out)
    return _column(offsets, out)


def _column(offsets: NDArray[np.int32], out: NDArray[np.uint8]) -> pa.StringArray:
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(out.data))


@compiled
def _copy(data, begin, end, out, at):
    for i in range(end - begin):
        out[at + i] = data[begin + i]
    return at + end - begin


@compiled
def _gather(data, begins, ends, out):
    at = 0
    for i in range(len(begins)):
        at = _copy(data, begins[i], ends[i], out, at)


@compiled
def _measure_labels(spans, priorities, begins, ends, offsets):
    for i in range(len(begins)):
        size = ends[i] - begins[i]
        if ends[i] == 0:
            facility = priorities[i] >> 3
            size = _OPENING_ENDS[facility + 1] - _OPENING_ENDS[facility] + 1
            for field, key in ((MSGID, _MSGID), (PID, _PID)):
                if spans[i, field + 1] > spans[i, field]:
                    size += len(key) + spans[i, field + 1] - spans[i, field] + 1
        offsets[i + 1] = offsets[i] + size


@compiled
def _write_labels(data, spans, priorities, begins, ends, offsets, out):
    for i in range(len(begins)):
        at = offsets[i]
        if ends[i] > 0:
            _copy(data, begins[i], ends[i], out, at)
            continue
        facility = priorities[i] >> 3
        at = _copy(_OPENING, _OPENING_ENDS[facility], _OPENING_ENDS[facility + 1], out, at)
        for field, key in ((MSGID, _MSGID), (PID, _PID)):
            if spans[i, field + 1] > spans[i, field]:
                at = _copy(key, 0, len(key), out, at)
                at = _copy(data, spans[i, field], spans[i, field + 1], out, at)
                out[at] = 34
                at += 1
        out[at] = 125
