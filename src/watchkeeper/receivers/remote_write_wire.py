"""The wire format of Prometheus remote write 1.0, walked over the buffer: where each time series and its
labels lie, and the samples as columns. It makes no objects and decodes no label; what a label set means is
decided elsewhere, once per label set. The format is protobuf (prompb/remote.proto and types.proto, see
https://prometheus.io/docs/specs/prw/remote_write_spec/).
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.receivers.wire import FAULTS, Positions, U, compiled, field, varint

MAX_ROWS = 500_000
"""Samples, or series, of one body; 16 MiB of what Prometheus sends hold a tenth of that."""


@dataclass(slots=True)
class Messages:
    """Where the messages of a request lie, `[start, stop)`: time series, and those of its other field."""

    starts: Positions
    stops: Positions
    others: Positions  # one row (start, stop) each


@dataclass(slots=True)
class Columns:
    """What time series hold. Per series: where its labels lie, `[first, last)` (nowhere: equal), whether
    nothing else lies between them, how many samples it has and how many native histograms. Samples in the
    order of the series: Unix ms and values."""

    first: Positions
    last: Positions
    pure: NDArray[np.bool_]
    counts: NDArray[np.int64]
    histograms: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def messages(data: NDArray[np.uint8], series: int = 10, other: int = 26) -> Messages:
    """Find the messages of a request; the tags of its time series and of what else is in it are those of a
    WriteRequest of 1.0, where that is metadata. Raises Malformed, TooLarge (more than MAX_ROWS of them)."""
    found = np.zeros(4, U)
    none = np.empty(0, U)
    _top(data, U(series), U(other), found, none, none, none.reshape(0, 2))
    check(found, int(max(found[0], found[1])))
    starts, stops = np.empty(found[0], U), np.empty(found[0], U)
    others = np.empty((found[1], 2), U)
    _top(data, U(series), U(other), found, starts, stops, others)
    return Messages(starts, stops, others)


def columns(data: NDArray[np.uint8], starts: Positions, stops: Positions) -> Columns:
    """Walk these time series. Raises Malformed, TooLarge (more than MAX_ROWS samples)."""
    n = len(starts)
    first, last, pure = np.zeros(n, U), np.zeros(n, U), np.zeros(n, np.bool_)
    counts, histograms = np.zeros(n, np.int64), np.zeros(n, np.int64)
    found = np.zeros(4, U)
    times, bits = np.empty(n, np.int64), np.empty(n, U)  # nearly all senders send one sample a series
    for _ in range(2):
        _walk(data, starts, stops, found, first, last, pure, counts, histograms, times, bits)
        samples = int(found[0])
        check(found, samples)
        if samples <= len(times):
            break
        times, bits = np.empty(samples, np.int64), np.empty(samples, U)
    values = bits[:samples].view(np.float64)
    return Columns(first, last, pure, counts, histograms, times[:samples], values)


def check(found: Positions, rows: int) -> None:
    """Raises Malformed when a walk met a fault, TooLarge when it met too much."""
    if found[2]:
        raise Malformed(f"not a WriteRequest: at byte {found[3]}, {FAULTS[int(found[2])]}")
    if rows > MAX_ROWS:
        raise TooLarge(f"more than {MAX_ROWS} series or samples in one request", reason="too_many_rows")


@compiled
def _top(data, series, other, found, starts, stops, others):
    """found: series, others, fault, place. Keeps as much as the arrays have room for."""
    found[:] = U(0)
    at = U(0)
    end = U(len(data))
    while at < end:
        begin = at
        fault, tag, at, stop = field(data, at, end)
        number = tag >> U(3)
        known = number == series >> U(3) or number == other >> U(3)
        if fault == U(0) and known and tag != series and tag != other:
            fault = U(2)
        if fault != U(0):
            found[2], found[3] = fault, begin
            return
        if tag == series:
            if found[0] < U(len(starts)):
                starts[found[0]], stops[found[0]] = at, stop
            found[0] += U(1)
        elif tag == other:
            if found[1] < U(len(others)):
                others[found[1], 0], others[found[1], 1] = at, stop
            found[1] += U(1)
        at = stop


@compiled
def sample(data, at, end, row, times, bits):
    """Keep the sample in `[at, end)` as `row`, if there is such a row; a fault and its place."""
    time = value = U(0)
    while at < end:
        begin = at
        fault, tag, at, stop = field(data, at, end)
        if fault == U(0) and tag != U(9) and tag != U(16) and tag >> U(3) <= U(2):
            fault = U(2)
        if fault != U(0):
            return fault, begin
        if tag == U(9):
            for i in range(8):
                value = (value << U(8)) | U(data[stop - U(1) - U(i)])
        elif tag == U(16):
            time, _, _ = varint(data, at, stop)
        at = stop
    if row < U(len(times)):
        times[row], bits[row] = np.int64(time), value
    return U(0), at


@compiled
def _walk(data, starts, stops, found, first, last, pure, counts, histograms, times, bits):
    """found: samples, -, fault, place. Keeps as many samples as there is room for."""
    found[:] = U(0)
    for i in range(len(starts)):
        at = starts[i]
        first[i] = last[i] = at
        pure[i], counts[i], histograms[i] = True, 0, 0
        while at < stops[i]:
            begin = at
            fault, tag, at, stop = field(data, at, stops[i])
            number = tag >> U(3)
            if fault == U(0) and number <= U(4) and tag & U(7) != U(2):
                fault = U(2)
            if fault == U(0) and number == U(2):
                fault, begin = sample(data, at, stop, found[0], times, bits)
                found[0] += U(1)
                counts[i] += 1
            if fault != U(0):
                found[2], found[3] = fault, begin
                return
            if number == U(1):
                if first[i] == last[i]:
                    first[i] = begin
                elif last[i] != begin:
                    pure[i] = False
                last[i] = stop
            elif number == U(4):
                histograms[i] += 1
            at = stop
