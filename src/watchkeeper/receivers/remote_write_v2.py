"""The wire format of Prometheus remote write 2.0, brought to that of 1.0: every text of a request is a symbol that is
written once; here the label sets are written out again, as 1.0 has them, so that what knows those knows these. Walked
over the buffer as remote_write_wire does. The format is protobuf (io/prometheus/write/v2/types.proto, see
https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/).
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.receivers.remote_write_labels import LARGEST
from watchkeeper.receivers.remote_write_wire import (
    Columns,
    Positions,
    U,
    check,
    compiled,
    field,
    inlined,
    messages,
    sample,
    varint,
)

_SERIES, _SYMBOLS = 42, 34  # the tags of a Request's fields
_EXPANDED = 64 * 1024 * 1024  # bytes of all label sets written out
_NOTHING, _UNKNOWN, _TOO_LARGE = 0, 1, 2
FAULTS = {
    _UNKNOWN: ("bad_label", "a label refers to a symbol that is not there, or has no value"),
    _TOO_LARGE: ("labels_too_large", f"labels of more than {LARGEST} bytes"),
}


@dataclass(slots=True)
class Expanded:
    """A request as 1.0 would have it: label sets in `data`, and what the time series hold in `held`; `first` equals
    `last` where `faults` (of FAULTS) is not 0. `kinds` are the types that metadata says, 0 for none, `units` where their
    units lie in the request, `[start, stop)` a row."""

    data: NDArray[np.uint8]
    held: Columns
    faults: NDArray[np.int64]
    kinds: NDArray[np.int64]
    units: Positions
    exemplars: int


def expanded(data: NDArray[np.uint8]) -> Expanded:
    """Read a Request. Raises Malformed, TooLarge (too many series, samples, symbols, or bytes of labels)."""
    found = messages(data, _SERIES, _SYMBOLS)
    n = len(found.starts)
    facts = np.zeros((n, 6), np.int64)  # fault, bytes of labels, samples, histograms, exemplars, kind
    units = np.zeros((n, 2), U)
    result = np.zeros(4, U)
    times, bits = np.empty(n, np.int64), np.empty(n, U)
    for _ in range(2):
        _walk(data, found.starts, found.stops, found.others, result, facts, units, times, bits)
        samples = int(result[0])
        check(result, samples)
        if samples <= len(times):
            break
        times, bits = np.empty(samples, np.int64), np.empty(samples, U)
    faults, sizes = facts[:, 0], facts[:, 1]
    sizes[faults != _NOTHING] = 0
    ends = np.cumsum(sizes).astype(U)
    total = int(ends[-1]) if n else 0
    if total > _EXPANDED:
        raise TooLarge(
            f"labels of more than {_EXPANDED} bytes in one request", reason="too_large_decompressed"
        )
    out = np.empty(total, np.uint8)
    starts = ends - sizes.astype(U)
    _write(data, found.starts, found.stops, found.others, sizes, starts, out)
    held = Columns(
        starts, ends, np.ones(n, np.bool_), facts[:, 2].copy(), facts[:, 3].copy(), times[:samples],
        bits[:samples].view(np.float64),
    )  # fmt: skip
    return Expanded(out, held, faults, facts[:, 5], units, int(facts[:, 4].sum()))


@inlined
def _length(value):
    """Bytes of a varint."""
    size = U(1)
    while value >= U(128):
        value >>= U(7)
        size += U(1)
    return size


@compiled
def _pair(name, value, symbols):
    """Bytes of a Label message of these symbols; 0 when there are no such."""
    count = U(len(symbols))
    if name >= count or value >= count:
        return U(0)
    a, b = symbols[name, 1] - symbols[name, 0], symbols[value, 1] - symbols[value, 0]
    return U(2) + _length(a) + a + _length(b) + b


@compiled
def _references(data, at, end, pending, fact, symbols):
    """Count what the labels of these references take. `pending` is a name whose value is still to come, or one more
    than any symbol; gives that back."""
    none = U(len(symbols))
    while at < end:
        reference, at, _ = varint(data, at, end)
        if pending == none:
            if reference >= none:
                fact[0] = _UNKNOWN
                return none
            pending = reference
            continue
        size = _pair(pending, reference, symbols)
        if size == U(0):
            fact[0] = _UNKNOWN
        fact[1] += np.int64(U(1) + _length(size) + size)
        pending = none
    return pending


@compiled
def _metadata(data, at, end, i, facts, units, symbols):
    """Kind and unit; a fault and its place."""
    while at < end:
        begin = at
        fault, tag, at, stop = field(data, at, end)
        if fault != U(0):
            return fault, begin
        if tag == U(8):
            kind, _, _ = varint(data, at, stop)
            facts[i, 5] = np.int64(min(kind, U(255)))
        elif tag == U(32):
            unit, _, _ = varint(data, at, stop)
            if unit < U(len(symbols)):
                units[i] = symbols[unit]
        at = stop
    return U(0), at


@compiled
def _is_whole(data, at, end):
    """Whether this is varints to its end."""
    return at == end or data[end - U(1)] < 128


@compiled
def _value(data, tag, at, stop, i, symbols, result, facts, units, times, bits):
    """Take in a field of time series `i` that is no label; a fault and its place."""
    number = tag >> U(3)
    if number == U(2):
        fault, begin = sample(data, at, stop, result[0], times, bits)
        result[0] += U(1)
        facts[i, 2] += 1
        return fault, begin
    if number == U(3):
        facts[i, 3] += 1
    elif number == U(4):
        facts[i, 4] += 1
    elif number == U(5):
        return _metadata(data, at, stop, i, facts, units, symbols)
    return U(0), at


@compiled
def _walk(data, starts, stops, symbols, result, facts, units, times, bits):
    """result: samples, -, fault, place. Keeps as many samples as there is room for."""
    result[:] = U(0)
    facts[:] = 0
    none = U(len(symbols))
    for i in range(len(starts)):
        at, pending = starts[i], none
        while at < stops[i]:
            begin = at
            fault, tag, at, stop = field(data, at, stops[i])
            number = tag >> U(3)
            if fault == U(0) and number <= U(5) and tag & U(7) != U(2) and tag != U(8):
                fault = U(2)
            if fault == U(0) and number == U(1):
                fault = U(0) if _is_whole(data, at, stop) else U(1)
                if fault == U(0) and facts[i, 0] == _NOTHING:
                    pending = _references(data, at, stop, pending, facts[i], symbols)
            elif fault == U(0):
                fault, begin = _value(data, tag, at, stop, i, symbols, result, facts, units, times, bits)
            if fault != U(0):
                result[2], result[3] = fault, begin
                return
            at = stop
        if pending != none:
            facts[i, 0] = _UNKNOWN
        if facts[i, 1] > LARGEST:
            facts[i, 0] = _TOO_LARGE


@compiled
def _put_number(value, out, at):
    while value >= U(128):
        out[at] = np.uint8((value & U(127)) | U(128))
        value >>= U(7)
        at += U(1)
    out[at] = np.uint8(value)
    return at + U(1)


@compiled
def _put_text(data, tag, begin, end, out, at):
    out[at] = tag
    at = _put_number(end - begin, out, at + U(1))
    for i in range(end - begin):
        out[at + U(i)] = data[begin + U(i)]
    return at + (end - begin)


@compiled
def _write(data, starts, stops, symbols, sizes, places, out):
    """Write the label sets that have a size to their places."""
    none = U(len(symbols))
    for i in range(len(starts)):
        if sizes[i] == 0:
            continue
        at, to, name = starts[i], places[i], none
        while at < stops[i]:
            _, tag, at, stop = field(data, at, stops[i])
            while tag >> U(3) == U(1) and at < stop:
                reference, at, _ = varint(data, at, stop)
                if name == none:
                    name = reference
                    continue
                out[to] = 10
                to = _put_number(_pair(name, reference, symbols), out, to + U(1))
                to = _put_text(data, 10, symbols[name, 0], symbols[name, 1], out, to)
                to = _put_text(data, 18, symbols[reference, 0], symbols[reference, 1], out, to)
                name = none
            at = stop


def unit(body: bytes, of: Expanded, number: int) -> str:
    """The unit that metadata says of a series; "" for none. Raises Malformed."""
    start, stop = of.units[number].tolist()
    try:
        return body[start:stop].decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a unit is not UTF-8: {body[start:stop][:60]!r}", reason="bad_metadata") from error
