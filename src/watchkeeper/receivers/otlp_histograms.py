"""Buckets of OTLP's histograms as Prometheus has them: upper bounds with the count of all that lies below.

An exponential histogram's buckets are merged to a base of √2 or coarser, so that its bounds stay the same
when the sender changes its scale, and their number stays small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from watchkeeper.receivers.otlp_values import Message

MOST_BUCKETS = 160  # of one point
SCALE = 1  # base 2^(2^-1), the finest that is kept
_LARGEST = 1e308
_MOST_INDEX = 2**40


class BadHistogram(ValueError):
    """Bounds or counts that make no histogram."""


def explicit_buckets(point: Message) -> list[tuple[float, int]]:
    """(upper bound, count at or below it), the last +Inf, of a HistogramDataPoint; empty when it has no
    buckets. Raises BadHistogram."""
    bounds: Sequence[float] = point.explicit_bounds or ()
    counts: Sequence[int] = point.bucket_counts or ()
    if not counts and not bounds:
        return []
    if len(counts) != len(bounds) + 1 or len(counts) > MOST_BUCKETS + 1:
        raise BadHistogram(f"{len(counts)} counts for {len(bounds)} bounds")
    if any(not a < b for a, b in pairwise(bounds)) or not all(math.isfinite(b) for b in bounds):
        raise BadHistogram("bounds do not rise")
    if min(counts) < 0:
        raise BadHistogram("a negative count")
    return list(zip((*bounds, math.inf), accumulate(counts), strict=True))


def exponential_buckets(point: Message) -> list[tuple[float, int]]:
    """The same of an ExponentialHistogramDataPoint: bounds from the first bucket that holds something to the
    last, then +Inf. Source: the data model of OpenTelemetry, "ExponentialHistogram".
    Raises BadHistogram."""
    positive = _indexed(point.positive)
    negative = _indexed(point.negative)
    scale = point.scale
    if not -20 <= scale <= 40 or not math.isfinite(point.zero_threshold) or point.zero_count < 0:
        raise BadHistogram("scale or zero bucket out of range")
    steps = max(0, scale - SCALE)
    while True:
        up, down = _merged(positive, steps), _merged(negative, steps)
        if _width(up) + _width(down) <= MOST_BUCKETS:
            break
        steps += 1
    scale -= steps
    # negative values lie in -(base^(i+1)) ≤ v < -(base^i), positive ones in base^i < v ≤ base^(i+1)
    parts = [
        (-_bound(i, scale), down.get(i, 0)) for i in range(max(down, default=0), min(down, default=1) - 1, -1)
    ]
    if point.zero_count:
        parts.append((max(0.0, point.zero_threshold), point.zero_count))
    parts += [(_bound(i + 1, scale), up.get(i, 0)) for i in range(min(up, default=1), max(up, default=0) + 1)]
    out: list[tuple[float, int]] = []
    below = 0
    for bound, count in parts:
        below += count
        if out and bound <= out[-1][0]:  # too close to be told apart, or within the zero bucket
            out[-1] = (out[-1][0], below)
        elif bound < _LARGEST:
            out.append((bound, below))
    return [*out, (math.inf, below)]


def le(bound: float) -> str:
    """A bound as Prometheus writes it.

    >>> le(0.5), le(10.0), le(math.inf)
    ('0.5', '10', '+Inf')
    """
    if math.isinf(bound):
        return "+Inf" if bound > 0 else "-Inf"
    return repr(int(bound)) if bound == int(bound) and abs(bound) < 1e15 else repr(bound)


def _indexed(buckets: Message) -> dict[int, int]:
    """Index → count, of the buckets that hold something."""
    offset = buckets.offset
    if abs(offset) > _MOST_INDEX:
        raise BadHistogram(f"offset {offset}")
    counts = {offset + i: n for i, n in enumerate(buckets.bucket_counts or ()) if n}
    if counts and min(counts.values()) < 0:
        raise BadHistogram("a negative count")
    return counts


def _merged(counts: dict[int, int], steps: int) -> dict[int, int]:
    """Counts with the base squared `steps` times: 2^steps buckets become one."""
    out: dict[int, int] = {}
    for index, n in counts.items():
        out[index >> steps] = out.get(index >> steps, 0) + n
    return out


def _width(counts: dict[int, int]) -> int:
    return max(counts) - min(counts) + 1 if counts else 0


def _bound(index: int, scale: int) -> float:
    """base^index, where base = 2^(2^-scale)."""
    exponent = math.ldexp(index, -scale)
    return math.pow(2.0, exponent) if exponent < 1024 else math.inf
