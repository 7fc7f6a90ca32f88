"""How fast samples change: rate, increase, delta, irate, idelta, deriv, predict_linear, changes, resets.

Each takes windows and gives values and which of them are there, [series, steps]. The arithmetic is Prometheus' own
(promql/functions.go), extrapolation to the window's bounds included.
"""

from __future__ import annotations

import numpy as np

from watchkeeper.telemetry.promql.values import Flags, Floats, Samples, Scalar
from watchkeeper.telemetry.promql.windows import Windows

Found = tuple[Floats, Flags]
_THRESHOLD = 1.1  # of the mean distance between samples: a gap at a bound that is larger is no accident


def rate(w: Windows) -> Found:
    """By how much a counter grew a second."""
    values, present = increase(w)
    return values / (w.range_ms / 1000), present


def increase(w: Windows) -> Found:
    """By how much a counter grew; a fall is a restart from 0."""
    grown = w.last(w.samples.values) - w.first(w.samples.values)
    lost = _lost(w.samples)
    if lost.any():
        grown = grown + w.sum(lost, skip=1)
    return _extrapolated(w, grown, counter=True), w.count > 1


def delta(w: Windows) -> Found:
    """By how much a gauge changed."""
    grown = w.last(w.samples.values) - w.first(w.samples.values)
    return _extrapolated(w, grown, counter=False), w.count > 1


def irate(w: Windows) -> Found:
    """How fast a counter grew between the last two samples, a second."""
    last, before = w.last(w.samples.values), w.last(w.samples.values, 1)
    seconds = (w.last(w.samples.times) - w.last(w.samples.times, 1)) / 1000
    return np.where(last < before, last, last - before) / seconds, (w.count > 1) & (seconds != 0)


def idelta(w: Windows) -> Found:
    """The difference between the last two samples."""
    return w.last(w.samples.values) - w.last(w.samples.values, 1), w.count > 1


def changes(w: Windows) -> Found:
    """How often the value changed."""
    now, before = w.samples.values[1:], w.samples.values[:-1]
    return _counted(w, (now != before) & ~(np.isnan(now) & np.isnan(before))), w.count > 0


def resets(w: Windows) -> Found:
    """How often a counter fell."""
    return _counted(w, w.samples.values[1:] < w.samples.values[:-1]), w.count > 0


def deriv(w: Windows) -> Found:
    """The slope a second of the line of least squares."""
    slope, _, _ = _line(w)
    return slope, w.count > 1


def predict_linear(w: Windows, ahead: Scalar) -> Found:
    """Where the line of least squares will be so many seconds after the time of evaluation."""
    slope, mean, at_ms = _line(w)
    seconds = (w.times[None, :] - w.first(w.samples.times)) / 1000 - at_ms
    return mean + slope * (seconds + ahead.values[None, :]), w.count > 1


def _lost(samples: Samples) -> Floats:
    """By sample, what the counter had before a restart. The first sample of a series is never looked at."""
    lost = np.zeros(len(samples.values))
    if len(lost) > 1:
        before = samples.values[:-1]
        lost[1:] = np.where(samples.values[1:] < before, before, 0.0)
    return lost


def _counted(w: Windows, happened: Flags) -> Floats:
    """How many samples of each window, after its first, differ from the one before in that way."""
    before = np.zeros(len(w.samples.values) + 1)
    if len(happened):
        before[2:] = np.cumsum(happened)
    return before[w.high] - before[np.minimum(w.low + 1, w.high)]


def _extrapolated(w: Windows, grown: Floats, *, counter: bool) -> Floats:
    first, last = w.first(w.samples.times), w.last(w.samples.times)
    sampled = (last - first) / 1000
    between = sampled / (w.count - 1)
    to_start = (first - (w.ends - w.range_ms)[None, :]) / 1000
    to_end = (w.ends[None, :] - last) / 1000
    if counter:
        # A counter cannot have been below 0: the line through it says when it was there.
        value = w.first(w.samples.values)
        to_zero = sampled * (value / grown)
        to_start = np.where((grown > 0) & (value >= 0) & (to_zero < to_start), to_zero, to_start)
    covered = sampled
    for gap in (to_start, to_end):
        covered = covered + np.where(gap < between * _THRESHOLD, gap, between / 2)
    return grown * (covered / sampled)


def _line(w: Windows) -> tuple[Floats, Floats, Floats]:
    """Slope, mean of the values and mean of the times, in seconds after the window's first sample."""
    slope, mean, middle = (np.full(w.low.shape, np.nan) for _ in range(3))
    for part in w.gathered():
        filled = part.stretch.start + np.flatnonzero(w.count.ravel()[part.stretch])
        y = w.samples.values[part.at]
        x = (w.samples.times[part.at] - w.samples.times[part.at[part.starts]][part.window]) / 1000
        n = w.count.ravel()[filled]
        mean_x, mean_y = part.sums(x) / n, part.sums(y) / n
        dx, dy = x - mean_x[part.window], y - mean_y[part.window]
        level = np.minimum.reduceat(y, part.starts) == np.maximum.reduceat(y, part.starts)
        found = part.sums(dx * dy) / part.sums(dx * dx)
        slope.ravel()[filled] = np.where(level & np.isfinite(mean_y), 0.0, found)
        mean.ravel()[filled], middle.ravel()[filled] = mean_y, mean_x
    return slope, mean, middle
