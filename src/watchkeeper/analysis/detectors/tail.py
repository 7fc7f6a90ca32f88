"""How rare a statistic is by the series' own past: a generalised Pareto tail over a running threshold.

Peaks over threshold as a stream, after SPOT (Siffer, Fouque, Termier and Largouet 2017, "Anomaly Detection
in Streams with Extreme Value Theory"), with a moving threshold and the tail fitted by moments (Hosking and
Wallis 1987) from decayed sums, in constant memory.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import inlined

TAIL = np.dtype(
    [
        ("threshold", "f8"),
        ("mean", "f8"),
        ("squares", "f8"),
        ("excesses", "f8"),
        ("size", "f8"),
        ("count", "i4"),
    ],
    align=True,
)
"""State of one statistic of one series: the threshold, and decayed sums of what lies above it."""

SHARE = 0.02  # of all points that lie above the threshold
MEMORY = 0.001
HEAVIEST = 0.3  # shape of the tail at most


@inlined
def surprise(tail: Any, x: float) -> float:
    """Minus the decimal logarithm of the chance of a statistic of `x` ≥ 0 or more; 0 below the threshold.

    Learns from x afterwards. Needs some excesses before it says anything.
    """
    out = 0.0
    if x > tail.threshold and tail.excesses > 5.0:
        mean = tail.mean / tail.excesses
        variance = max(tail.squares / tail.excesses - mean * mean, 1e-18)
        shape = max(0.0, min(HEAVIEST, 0.5 * (1.0 - mean * mean / variance)))
        size = mean * (1.0 - shape) + 1e-12
        above = (x - tail.threshold) / size
        log_survival = above if shape < 1e-3 else math.log1p(shape * above) / shape
        out = -math.log10(SHARE) + 0.4342944819 * log_survival
    _learn(tail, x)
    return out


@inlined
def _learn(tail: Any, x: float) -> None:
    share, memory = 0.002, MEMORY
    if tail.count < 3.0 / MEMORY:  # quicker at first
        tail.count += 1
        share, memory = max(1.0 / tail.count, share), max(3.0 / tail.count, memory)
    tail.size += share * (x - tail.size)
    step = 3.0 * memory * tail.size + 1e-12
    if x > tail.threshold:
        excess = x - tail.threshold
        keep = 1.0
        if tail.excesses > 5.0:
            excess = min(excess, 10.0 * tail.mean / tail.excesses)
        if tail.excesses > 20.0:
            keep = 1.0 - 0.25 * MEMORY / SHARE
        tail.mean = tail.mean * keep + excess
        tail.squares = tail.squares * keep + excess * excess
        tail.excesses = tail.excesses * keep + 1.0
        tail.threshold += step * (1.0 - SHARE)
    else:
        tail.threshold = max(0.0, tail.threshold - step * SHARE)
