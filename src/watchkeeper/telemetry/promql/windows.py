"""Which samples of each series lie in the window of each step, and arithmetic over those windows without a loop.

A window reaches from its end back over its range and holds the samples at both of its bounds, as in Prometheus 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from watchkeeper.telemetry.promql.values import Floats, Samples, Whole

_AT_ONCE = 4_000_000  # samples that are gathered from overlapping windows at a time


@dataclass(frozen=True)
class Gathered:
    """The samples of a stretch of windows written out one window after the other: their numbers `at` in the samples,
    the windows they are in (`window`, from 0), where each window begins, and the stretch of the windows, flattened."""

    at: Whole
    window: Whole
    starts: Whole
    stretch: slice

    def sums(self, of: Floats) -> Floats:
        """The sum of each window of what is given by sample."""
        out: Floats = np.add.reduceat(of, self.starts)
        return out


@dataclass(frozen=True)
class Windows:
    """`low` and `high` [series, steps]: the window's samples are [low, high) of the samples. `ends` [steps] is where each
    window ends, `times` [steps] the time the expression is evaluated at, both in Unix ms."""

    samples: Samples
    times: Whole
    ends: Whole
    range_ms: int
    low: Whole
    high: Whole
    go_on: Callable[[], object] = int  # asked between stretches of long work; raises to end it

    @cached_property
    def count(self) -> Whole:
        """How many samples each window has."""
        return self.high - self.low

    def first(self, of: Floats | Whole) -> Floats:
        """Of each window, what its first sample has; anything for an empty one."""
        return self._at(of, self.low)

    def last(self, of: Floats | Whole, back: int = 0) -> Floats:
        """Of each window, what the sample has that is `back` before its last."""
        return self._at(of, self.high - 1 - back)

    def _at(self, of: Floats | Whole, index: Whole) -> Floats:
        if not len(of):
            return np.zeros(index.shape)
        return of[np.clip(index, 0, len(of) - 1)].astype(np.float64)

    def reduce(self, ufunc: np.ufunc, of: Floats, skip: int = 0) -> Floats:
        """`ufunc` over each window, without its first `skip` samples; anything for one that is then empty."""
        low = np.minimum(self.low + skip, self.high)
        bounds = np.stack((low, self.high), axis=-1).ravel()
        padded = np.append(of, 0.0)
        out: Floats = ufunc.reduceat(padded, bounds)[::2].reshape(low.shape)
        return out

    def sum(self, of: Floats, skip: int = 0) -> Floats:
        """The sum over each window, without its first `skip` samples."""
        return np.where(self.count > skip, self.reduce(np.add, of, skip), 0.0)

    def gathered(self) -> Iterator[Gathered]:
        """All windows that have samples, a stretch at a time."""
        low, count = self.low.ravel(), self.count.ravel()
        ends = np.cumsum(count)
        begin = 0
        while begin < len(count):
            before = ends[begin - 1] if begin else 0
            stop = max(begin + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
            here = count[begin:stop]
            filled = np.flatnonzero(here)
            self.go_on()
            if len(filled):
                lengths = here[filled]
                starts = np.cumsum(lengths) - lengths
                window = np.repeat(np.arange(len(filled)), lengths)
                at = np.arange(int(lengths.sum())) - starts[window] + low[begin:stop][filled][window]
                yield Gathered(at, window, starts, slice(begin, stop))
            begin = stop


def windows(
    samples: Samples, times: Whole, ends: Whole, range_ms: int, go_on: Callable[[], object] = int
) -> Windows:
    """The windows of `range_ms` that end at `ends`."""
    rows = np.arange(len(samples.labels))
    first = min((int(x.min()) for x in (samples.times, ends - range_ms) if len(x)), default=0)
    last = max((int(x.max()) for x in (samples.times, ends) if len(x)), default=0)
    # One ordered line of all series, so that one search finds all bounds.
    span = last - first + 2
    keys = np.repeat(rows, np.diff(samples.starts)) * span + (samples.times - first)
    offset = rows[:, None] * span - first
    low = np.searchsorted(keys, offset + (ends - range_ms)[None, :], side="left")
    high = np.searchsorted(keys, offset + ends[None, :], side="right")
    return Windows(samples, times, ends, range_ms, low, np.maximum(high, low), go_on)
