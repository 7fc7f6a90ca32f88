"""The wire format of Prometheus remote write 2.0, walked over the buffer as remote_write_wire does with that of 1.0.
Every text of a request is a symbol that is written once, and label sets refer to them: they are known by a hash over
the hashes of their symbols, and those that are new are written out as 1.0 has them, so that what reads those reads
these. The format is protobuf (io/prometheus/write/v2/types.proto, see
https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/).
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.receivers.known_series import siphash, siphash_words
from watchkeeper.receivers.remote_write_labels import LARGEST
from watchkeeper.receivers.remote_write_wire import check, messages, sample
from watchkeeper.receivers.wire import Positions, U, compiled, field, inlined, varint

_SERIES, _SYMBOLS = 42, 34  # the tags of a Request's fields
_WORDS = 512  # references of a label set that is remembered
_EXPANDED = 64 * 1024 * 1024  # bytes of all label sets written out
_NOTHING, _UNKNOWN, _TOO_LARGE = 0, 1, 2
FAULTS = {
    _UNKNOWN: ("bad_label", "a label refers to a symbol that is not there, or has no value"),
    _TOO_LARGE: ("labels_too_large", f"labels of more than {LARGEST} bytes"),
}


@dataclass(slots=True)
class Walked:
    """What time series hold: hashes of their label sets (0 when they are not to be remembered), how many samples and
    native histograms, the type that metadata says (0 for none) and the symbol of its unit. Samples in the order of the
    series: Unix ms and values."""

    data: NDArray[np.uint8]
    starts: Positions
    stops: Positions
    symbols: Positions  # one row (start, stop) each
    hashes: Positions
    counts: NDArray[np.int64]
    histograms: NDArray[np.int64]
    exemplars: int
    kinds: NDArray[np.int64]
    units: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def unit(self, number: int) -> str:
        """The unit that metadata says of a time series; "" for none. Raises Malformed."""
        symbol = int(self.units[number])
        start, stop = self.symbols[symbol].tolist() if symbol < len(self.symbols) else (0, 0)
        raw = self.data[start:stop].tobytes()
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"a unit is not UTF-8: {raw[:60]!r}", reason="bad_metadata") from error


@dataclass(slots=True)
class Written:
    """Label sets as 1.0 has them, each `data[first:last]`; nothing of those that have one of FAULTS."""

    data: NDArray[np.uint8]
    first: Positions
    last: Positions
    faults: NDArray[np.int64]


def walk(data: NDArray[np.uint8], key: Positions) -> Walked:
    """Read a Request, with the key that hashes are made with. Raises Malformed, TooLarge (more than MAX_ROWS series,
    samples or symbols)."""
    found = messages(data, _SERIES, _SYMBOLS)
    n = len(found.starts)
    facts = np.zeros((5, n), np.int64)  # samples, histograms, exemplars, kind, unit
    hashes, result = np.zeros(n, U), np.zeros(4, U)
    symbols = np.empty(len(found.others), U)
    _hash(data, found.others, key, symbols)
    times, bits = np.empty(n, np.int64), np.empty(n, U)  # nearly all senders send one sample a series
    for _ in range(2):
        _walk(data, found.starts, found.stops, symbols, key, result, hashes, facts, times, bits)
        samples = int(result[0])
        check(result, samples)
        if samples <= len(times):
            break
        times, bits = np.empty(samples, np.int64), np.empty(samples, U)
    return Walked(
        data, found.starts, found.stops, found.others, hashes, facts[0], facts[1], int(facts[2].sum()), facts[3],
        facts[4], times[:samples], bits[:samples].view(np.float64),
    )  # fmt: skip


def written(of: Walked, numbers: NDArray[np.int64]) -> Written:
    """Write out the label sets of these time series. Raises TooLarge (too many bytes of labels)."""
    starts, stops = of.starts[numbers], of.stops[numbers]
    faults, sizes = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.int64)
    _measure(of.data, starts, stops, of.symbols, faults, sizes)
    sizes[faults != _NOTHING] = 0
    last = np.cumsum(sizes).astype(U)
    total = int(last[-1]) if len(last) else 0
    if total > _EXPANDED:
        raise TooLarge(
            f"labels of more than {_EXPANDED} bytes in one request", reason="too_large_decompressed"
        )
    out, first = np.empty(total, np.uint8), last - sizes.astype(U)
    _write(of.data, starts, stops, of.symbols, sizes, first, out)
    return Written(out, first, last, faults)


@compiled
def _hash(data, symbols, key, out):
    for i in range(len(symbols)):
        out[i] = siphash(data, symbols[i, 0], symbols[i, 1], key)


@compiled
def _is_whole(data, at, end):
    """Whether this is varints to its end."""
    return at == end or data[end - U(1)] < 128


@compiled
def _walk(data, starts, stops, symbols, key, result, hashes, facts, times, bits):
    """result: samples, -, fault, place. Keeps as many samples as there is room for."""
    result[:] = U(0)
    facts[:] = 0
    words = np.empty(_WORDS, U)
    for i in range(len(starts)):
        at, count = starts[i], 0
        while at < stops[i]:
            begin = at
            fault, tag, at, stop = field(data, at, stops[i])
            number = tag >> U(3)
            if fault == U(0) and number <= U(5) and tag & U(7) != U(2) and tag != U(8):
                fault = U(2)
            if fault == U(0) and number == U(1):
                fault = U(0) if _is_whole(data, at, stop) else U(1)
                if fault == U(0):
                    count = _references(data, at, stop, symbols, words, count)
            elif fault == U(0):
                fault, begin = _value(data, tag, at, stop, i, result, facts, times, bits)
            if fault != U(0):
                result[2], result[3] = fault, begin
                return
            at = stop
        hashes[i] = siphash_words(words, count, key) if 0 < count <= _WORDS else U(0)


@compiled
def _references(data, at, end, symbols, words, count):
    """Collect the hashes of these symbols behind `count` others; how many that makes, more than there is room for when
    one is not there."""
    none = U(len(symbols))
    while at < end:
        reference, at, _ = varint(data, at, end)
        if reference >= none or count >= _WORDS:
            return _WORDS + 1
        words[count] = symbols[reference]
        count += 1
    return count


@compiled
def _value(data, tag, at, stop, i, result, facts, times, bits):
    """Take in a field of time series `i` that is no label; a fault and its place."""
    number = tag >> U(3)
    if number == U(2):
        fault, begin = sample(data, at, stop, result[0], times, bits)
        result[0] += U(1)
        facts[0, i] += 1
        return fault, begin
    if number == U(3):
        facts[1, i] += 1
    elif number == U(4):
        facts[2, i] += 1
    elif number == U(5):
        return _metadata(data, at, stop, i, facts)
    return U(0), at


@compiled
def _metadata(data, at, end, i, facts):
    """Kind and unit; a fault and its place."""
    while at < end:
        begin = at
        fault, tag, at, stop = field(data, at, end)
        if fault != U(0):
            return fault, begin
        if tag == U(8) or tag == U(32):
            value, _, _ = varint(data, at, stop)
            facts[3 if tag == U(8) else 4, i] = np.int64(min(value, U(2**31)))
        at = stop
    return U(0), at


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
    """Bytes of a Label message of these symbols; 0 when one is not there."""
    count = U(len(symbols))
    if name >= count or value >= count:
        return U(0)
    a, b = symbols[name, 1] - symbols[name, 0], symbols[value, 1] - symbols[value, 0]
    return U(2) + _length(a) + a + _length(b) + b


@compiled
def _measure(data, starts, stops, symbols, faults, sizes):
    """What each label set takes when it is written out, or what is wrong with it."""
    none = U(len(symbols))
    for i in range(len(starts)):
        at, name = starts[i], none
        while at < stops[i]:
            _, tag, at, stop = field(data, at, stops[i])
            while tag >> U(3) == U(1) and at < stop:
                reference, at, _ = varint(data, at, stop)
                if name == none and reference < none:
                    name = reference
                    continue
                size = _pair(name, reference, symbols)
                if size == U(0):
                    faults[i] = _UNKNOWN
                sizes[i] += np.int64(U(1) + _length(size) + size)
                name = none
            at = stop
        if name != none:
            faults[i] = _UNKNOWN
        elif sizes[i] > LARGEST and faults[i] == _NOTHING:
            faults[i] = _TOO_LARGE


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
