"""Whether the newest of some blocks are a trend: their order, their line, their slope, and how far the blocks before them
carried by themselves. Blocks are arrays, the newest first, NaN for one that is not known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import inlined

WINDOW = 7  # blocks that are looked at
ORDERED = 17  # of the 21 pairs of them: in order, less those that are not
STRAIGHT = 0.5  # squares left by a line, against those left by the best step
WEEKS = 4  # after so many weekdays are told apart
EVENER = 0.7  # the days' steps without what is usual of weekdays, against those with it


@inlined
def medians(flat: Any, width: int) -> Any:
    out, part = np.empty(len(flat) // width), np.empty(width)
    for k in range(len(out)):
        n = 0
        for c in range(k * width, k * width + width):
            if math.isfinite(flat[c]):
                part[n] = flat[c]
                n += 1
        out[k] = np.median(part[:n]) if n > 0 and 2 * n >= width else np.nan
    return out


@inlined
def without_weekdays(days: Any) -> None:
    """Take from each day what its weekday usually lies above the week around it, where that makes the days more even."""
    if len(days) < 7 * WEEKS:
        return
    off, some = np.full(len(days), np.nan), np.empty(len(days) // 7 + 1)
    for d in range(3, len(days) - 3):
        off[d] = days[d] - np.mean(days[d - 3 : d + 4])
    weekday = np.zeros(7)
    for k in range(7):
        n = 0
        for d in range(k, len(days), 7):
            if math.isfinite(off[d]):
                some[n] = off[d]
                n += 1
        if n < WEEKS - 1:
            return
        weekday[k] = np.median(some[:n])
    rough, even = 0.0, 0.0
    for d in range(1, len(days)):
        step = days[d] - days[d - 1]
        if math.isfinite(step):
            rough += abs(step)
            even += abs(step - weekday[d % 7] + weekday[(d - 1) % 7])
    if even < EVENER * rough:
        for d in range(len(days)):
            days[d] -= weekday[d % 7]


@inlined
def steps_of(blocks: Any, begin: int) -> Any:
    """Changes from block to block of what lies before the newest `begin` blocks."""
    out, n = np.empty(len(blocks)), 0
    for k in range(begin, len(blocks) - 1):
        step = blocks[k] - blocks[k + 1]
        if math.isfinite(step):
            out[n] = step
            n += 1
    return out[:n]


@inlined
def slope_of(blocks: Any, count: int) -> float:
    """The median of the slopes between all pairs of the newest blocks, a step; NaN when too few are known."""
    slopes, n = np.empty(count * (count - 1) // 2), 0
    for i in range(count):
        for j in range(i + 1, count):
            slope = (blocks[i] - blocks[j]) / (j - i)
            if math.isfinite(slope):
                slopes[n] = slope
                n += 1
    return np.median(slopes[:n]) if 2 * n > len(slopes) else np.nan


@inlined
def wanders(blocks: Any, usual: float) -> float:
    """How far six steps have carried it before, beyond the usual slope: what 19 in 20 of such changes do not exceed."""
    sizes, n = np.empty(len(blocks)), 0
    for k in range(WINDOW - 1, len(blocks) - WINDOW + 1):
        size = abs(blocks[k] - blocks[k + WINDOW - 1] - (WINDOW - 1) * usual)
        if math.isfinite(size):
            sizes[n] = size
            n += 1
    return not_exceeded(sizes[:n], 0.95)


@inlined
def not_exceeded(sizes: Any, share: float) -> float:
    """What this share of them does not exceed."""
    sizes.sort()
    return sizes[math.ceil(share * len(sizes)) - 1] if len(sizes) > 0 else 0.0


@inlined
def in_order(blocks: Any, usual: float) -> bool:
    """Whether the newest blocks, less the usual slope, rise or fall all the time, but for a few."""
    order, pairs = 0, 0
    for i in range(WINDOW):
        for j in range(i + 1, WINDOW):
            step = blocks[i] - blocks[j] - usual * (j - i)
            if math.isfinite(step):
                order += 1 if step > 0.0 else -1 if step < 0.0 else 0
                pairs += 1
    return pairs > 0 and abs(order) * 21 >= ORDERED * pairs


@inlined
def on_a_line(blocks: Any, usual: float) -> bool:
    """Whether they are nearer to a line than to two levels."""
    y, x, n = np.empty(WINDOW), np.empty(WINDOW), 0
    for k in range(WINDOW):
        if math.isfinite(blocks[k]):
            x[n], y[n] = -float(k), blocks[k] + usual * k
            n += 1
    mean, at = np.mean(y[:n]), np.mean(x[:n])
    total, along, across = 0.0, 0.0, 0.0
    for k in range(n):
        total += (y[k] - mean) ** 2
        along += (y[k] - mean) * (x[k] - at)
        across += (x[k] - at) ** 2
    step = total
    for cut in range(1, n):
        left, right = np.mean(y[:cut]), np.mean(y[cut:n])
        step = min(step, float(total - cut * (left - mean) ** 2 - (n - cut) * (right - mean) ** 2))
    return bool(total - along * along / across < STRAIGHT * step)
