"""Departure: how far series have left what is normal for them over a span of rows, in units of how far
spans of the same length wander in normal times. What is bad, more or less, follows from the metric's name
where it says so.

Normal spans are measured by what is usual in the other parts of normal times (cross-conformal prediction,
Vovk 2015): by what was learned from themselves they would look calmer than the next normal span will.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from watchkeeper.analysis.causes.onset import Array

SPANS = 240  # normal spans that are looked at
FOLDS = 5  # parts of normal times that are compared with the others
FEWEST = 10  # normal spans a series needs
SHARE = 20  # a span is at most this part of the normal rows
FLOOR, RATIO_FLOOR = (
    0.02,
    0.0025,
)  # least scale, as a share of the usual level; of ratios that are usually full
_MORE_IS_BAD = re.compile(
    r"latency|duration|time|error|fault|fail|retr|lag|queue|saturation|dropped|lat_|wait", re.I
)
_LESS_IS_BAD = re.compile(r"availab|success|uptime|free|healthy", re.I)


@dataclass(frozen=True, slots=True)
class Departures:
    """`excess` in the metric's unit and `scale` of it, series × spans; the first span is the trouble, the others
    are normal ones."""

    excess: Array
    scale: Array
    level: Array  # usual level of each series
    now: Array  # level in the trouble

    @property
    def z(self) -> Array:
        """Excess in scales, 0 where nothing is known."""
        z: Array = np.maximum(self.excess, 0.0) / self.scale
        return z


def bad_direction(metric: str) -> int:
    """1 when more is bad, -1 when less is, 0 when either may be.

    >>> bad_direction("latency"), bad_direction("availability"), bad_direction("cpu")
    (1, -1, 0)
    """
    return -1 if _LESS_IS_BAD.search(metric) else 1 if _MORE_IS_BAD.search(metric) else 0


def departures(normal: Array, trouble: Array, directions: Array) -> Departures:
    """Compare trouble with normal (series × rows each, the same series); `directions` of each series.

    >>> usual = np.tile([9.0, 10.0, 11.0, 10.0], 30)[None]
    >>> float(departures(usual, np.array([[14.0, 14.0]]), np.array([1.0])).z[0, 0].round(1))
    16.7
    """
    if normal.shape[1] < FEWEST or not trouble.shape[1]:
        unknown = np.full(len(directions), np.nan)
        none = np.zeros((len(directions), 1))
        return Departures(none, np.ones_like(none), unknown, unknown)
    length = int(np.clip(min(trouble.shape[1], normal.shape[1] // SHARE), 1, None))
    spans = _spans(normal, length)
    now = _middle(_blocks(trouble, length))
    usual = _usual(spans, directions)
    levels, scales = [usual.level[:, None]], [usual.scale[:, None]]
    for part in np.array_split(np.arange(spans.shape[1]), FOLDS):
        beside = _usual(np.delete(spans, part, axis=1), directions)
        known = np.isfinite(beside.level)
        for held, own, whole in ((levels, beside.level, usual.level), (scales, beside.scale, usual.scale)):
            held.append(np.repeat(np.where(known, own, whole)[:, None], len(part), axis=1))
    level, scale = np.hstack(levels), np.hstack(scales)
    everything = np.column_stack([now, spans])
    up = everything - level
    sign = directions[:, None]
    excess = np.where(sign > 0, up, np.where(sign < 0, -up, np.abs(up)))
    return Departures(np.nan_to_num(excess, nan=0.0, posinf=0.0, neginf=0.0), scale, usual.level, now)


class _Usual(NamedTuple):
    """What spans usually are: of each series the level (NaN when it is not known) and the scale."""

    level: Array
    scale: Array


def _usual(spans: Array, directions: Array) -> _Usual:
    """The median span, and how far the 5 % that are worst lie from it."""
    known = np.isfinite(spans)
    enough = known.sum(axis=1) >= FEWEST
    ordered = np.sort(np.where(known, spans, np.inf), axis=1)
    count = np.maximum(known.sum(axis=1), 1)
    rows = np.arange(len(spans))
    low, level, high = (
        ordered[rows, np.minimum((q * (count - 1)).round().astype(int), count - 1)] for q in (0.05, 0.5, 0.95)
    )
    level = np.where(enough, level, np.nan)
    above, below = high - level, level - low
    spread = np.where(directions > 0, above, np.where(directions < 0, below, np.maximum(above, below)))
    floor = np.where(directions < 0, RATIO_FLOOR, FLOOR) * np.abs(level)
    return _Usual(level, np.maximum(np.maximum(np.nan_to_num(spread), np.nan_to_num(floor)), 1e-12))


def _spans(normal: Array, length: int) -> Array:
    """Means of spans of `length` rows all over the normal rows, at most SPANS, evenly placed."""
    starts = np.unique(np.linspace(0, max(0, normal.shape[1] - length), SPANS).astype(int))
    known = np.isfinite(normal)
    total = np.cumsum(np.pad(np.where(known, normal, 0.0), ((0, 0), (1, 0))), axis=1)
    count = np.cumsum(np.pad(known.astype(float), ((0, 0), (1, 0))), axis=1)
    ends = np.minimum(starts + length, normal.shape[1])
    n = count[:, ends] - count[:, starts]
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Array = (total[:, ends] - total[:, starts]) / n
    return means


def _blocks(trouble: Array, length: int) -> Array:
    """Means of successive blocks of `length` rows; the last may be longer."""
    count = max(1, trouble.shape[1] // length)
    parts = np.array_split(np.arange(trouble.shape[1]), count)
    return np.column_stack([_mean(trouble[:, p]) for p in parts])


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total: Array = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _middle(blocks: Array) -> Array:
    """The median block of each series, gaps left out; NaN where all is a gap."""
    known = np.isfinite(blocks)
    ordered = np.sort(np.where(known, blocks, np.inf), axis=1)
    count = known.sum(axis=1)
    rows = np.arange(len(blocks))
    lower = ordered[rows, np.maximum((count - 1) // 2, 0)]
    upper = ordered[rows, np.minimum(count // 2, blocks.shape[1] - 1)]
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, (lower + upper) / 2, np.nan)
