"""Onset: the row at which most of many series change their level at once, found without knowing which ones.

For every series the share of its variance that a single step at row t explains (the least-squares change
point, Hinkley 1970, over winsorised values so that spikes don't decide), for all t in one pass; then the t
on which the clearly stepped series agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CLIP = 0.02  # quantile at both ends beyond which values are winsorised
BEFORE, AFTER = 10, 5  # rows a level needs to be one
CLEAR = 4  # power by which clear steps outvote drifts
POINTS = 800  # rows looked at; longer input is averaged down
FLAT = 1e-9  # share of the level below which what differs is rounding
STEP = 0.5  # share of variance from which a step counts as one


def find_onset(values: Array, last: int | None = None, first: int = 0) -> int | None:
    """The row (of `values`, series × rows, NaN for a gap) from which on levels are different; None when no
    series has a clear step. Only rows from `first` to `last` are considered.

    >>> calm, high = np.zeros((1, 50)), np.ones((1, 30))
    >>> noise = np.random.default_rng(1).normal(0, 0.1, (1, 80))
    >>> find_onset(np.hstack([calm, high]) + noise)
    50
    """
    rows = values.shape[1]
    if rows < BEFORE + AFTER + 1:
        return None
    fold = -(-rows // POINTS)
    gain = steps(_fold(values, fold))
    lowest, highest = first // fold, (rows if last is None else last) // fold
    gain = gain[:, : max(0, highest)]
    gain[:, :lowest] = 0.0
    if not gain.size or gain.max() < STEP:
        return None
    row: int = (int(np.argmax((gain**CLEAR).sum(axis=0))) + 1) * fold
    return row


def steps(values: Array) -> Array:
    """Share of the variance of known values that a step after each row explains, series × (rows - 1), 0 to 1; 0 where
    a side would have too few of them."""
    rows = values.shape[1]
    if rows < BEFORE + AFTER + 1:
        return np.zeros((values.shape[0], max(0, rows - 1)))
    known = np.isfinite(values)
    low, high = _row_quantiles(values, known, (CLIP, 1 - CLIP))
    x = np.where(known, np.clip(np.where(known, values, 0.0), low[:, None], high[:, None]), 0.0)
    count = known.sum(axis=1, keepdims=True)
    x = np.where(known, x - x.sum(axis=1, keepdims=True) / np.maximum(count, 1), 0.0)
    size = np.abs(x).max(axis=1, keepdims=True)
    flat = size[:, 0] <= FLAT * np.maximum(np.abs(low), np.abs(high))
    x /= np.maximum(size, 1e-300)  # squares of huge values are still numbers
    whole = (x**2).sum(axis=1, keepdims=True)
    left = np.cumsum(known, axis=1)[:, :-1]
    right = count - left
    gain: Array = np.cumsum(x, axis=1)[:, :-1] ** 2 * (count / np.maximum(left * right, 1))
    gain /= np.maximum(whole, 1e-300)
    gain[flat] = 0.0
    gain[(left < BEFORE) | (right < AFTER)] = 0.0
    return gain


def _row_quantiles(values: Array, known: NDArray[np.bool_], at: tuple[float, ...]) -> list[Array]:
    """Quantiles of the known values of each row; 0 where there are none."""
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    count = known.sum(axis=1)
    rows = np.arange(len(values))
    places = [np.clip((q * (count - 1)).round().astype(int), 0, None) for q in at]
    return [np.where(count > 0, ordered[rows, p], 0.0) for p in places]


def _fold(values: Array, fold: int) -> Array:
    """Means of `fold` rows each, gaps left out."""
    if fold == 1:
        return values
    rows = values.shape[1] // fold
    blocks = values[:, : rows * fold].reshape(len(values), rows, fold)
    total, count = np.zeros(blocks.shape[:2]), np.zeros(blocks.shape[:2])
    for i in range(fold):
        known = np.isfinite(blocks[:, :, i])
        total += np.where(known, blocks[:, :, i], 0.0)
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
