"""Lasting jumps: a disk that was cleaned, a limit that was raised. Seen by their size against the usual change between
rows and by the level staying; the pieces are put together at the level of now, so that a trend is learned from all of
them and a jump is not taken for one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SIZE = 8.0  # times the usual change
STAYS = 6  # rows on either side that have to agree
MOST = 40


def shifts(x: Array) -> list[tuple[int, float]]:
    """(row, by how much) of every lasting jump into this row, in order.

    >>> shifts(np.r_[np.arange(50.0), np.arange(50.0)])
    [(50, -50.0)]
    """
    change = np.diff(x)
    if len(change) < 4 * STAYS:
        return []
    usual = float(np.median(change))
    scale = float(np.median(np.abs(change - usual)) * 1.4826)
    floor = 1e-3 * float(np.ptp(x)) + 1e-12
    bar = SIZE * max(scale, floor, 0.02 * float(np.ptp(x)))
    there = np.flatnonzero(np.abs(change - usual) > bar)
    there = there[np.argsort(-np.abs(change[there] - usual), kind="stable")][:MOST]
    out: list[tuple[int, float]] = []
    for i in sorted(there.tolist()):
        before, after = x[max(0, i + 1 - STAYS) : i + 1], x[i + 1 : i + 1 + STAYS]
        if len(after) < STAYS // 2 or len(before) < STAYS // 2:
            continue
        jump = float(change[i] - usual)
        stayed = float(np.median(after) - np.median(before)) - usual * STAYS
        if stayed * np.sign(jump) > 0.5 * abs(jump):
            out.append((i + 1, jump))
    return out


def spliced(x: Array) -> Array:
    """The series without its lasting jumps; its end is as it was.

    >>> spliced(np.r_[np.arange(50.0), np.arange(50.0)])[[0, 49, 50, 99]].tolist()
    [-50.0, -1.0, 0.0, 49.0]
    """
    found = shifts(x)
    if not found:
        return x
    out = x.copy()
    for row, jump in found:
        out[:row] += jump
    return out
