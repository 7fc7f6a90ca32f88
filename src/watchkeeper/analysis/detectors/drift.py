"""Drift: a series moves one way, slowly and steadily, for hours to weeks, so that no point looks odd beside the one before.

Means of two hours, freed of the time of day (and, of days, of the weekday), are joined to seven blocks: of two hours, six
hours, a day, two or four. A drift is told of seven that lie in order (Mann 1945, Kendall 1938), on a line rather than on two
levels, with a slope (Theil 1950, Sen 1968) that is far from what the series did before: the slope's excess over six steps
against how far six steps of its own past carry it, as if they were a random walk, which is the least favourable case.
What has always grown grows as usual; what jumps has another level; what wanders has large steps.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled, inlined
from watchkeeper.analysis.detectors.rates import COUNTER, GAUGE, RATE, rate
from watchkeeper.analysis.detectors.trend import (
    WINDOW,
    in_order,
    medians,
    not_exceeded,
    on_a_line,
    slope_of,
    steps_of,
    wanders,
    without_weekdays,
)
from watchkeeper.model.reason import Reason, ReasonKind

CELL = 7200  # seconds
DAY, DAYS = 12, 56  # cells of a day, days that are remembered
CELLS = DAY * DAYS
PROFILE_DAYS, LEAST_DAYS = 14, 4  # the usual course of a day is the median of so many, at least
KNOWN_DAYS = 7  # before which nothing is said
WIDTHS = np.array([1, 3, 12, 24, 48])  # cells of a block
STEPS = 100  # blocks before, at most
LEAST_STEPS = 4
HOURS_WANDER = 1.5  # bars; blocks of hours have to go three times as far as they do by themselves
BAR, BEGINS = 4.5, 0.9  # of the excess, in what six usual steps amount to; and the score there
GOES_ON = 0.25  # share of its slope with which a drift goes on
LARGEST = 1e30

SERIES = np.dtype(
    [
        ("rate", RATE),
        ("cell", "i8"),  # that is being filled; -1 for none
        ("sum", "f8"),
        ("seconds", "f8"),  # of the last point
        ("count", "i4"),
        ("score", "f4"),
        ("first", "i8"),  # cell
        ("way", "i4"),  # of the drift that goes on: up 1, down -1, none 0
        ("width", "i4"),  # of its blocks, in cells
        ("since", "f8"),  # seconds when it began
        ("before", "f8"),  # values
        ("now", "f8"),
        ("slope", "f8"),  # of the drift, a day, and the one that was usual
        ("slope_before", "f8"),
        ("taken", "i8"),  # 1: it ended because it had gone on for so long
        ("farthest", "f8"),  # value
        ("ended", "i8"),  # cell in which the last drift was over; what was part of it is no other one
        ("moves", "f4"),  # what is usual, a day
        ("usual", "f4", (DAY,)),  # at each time of day
    ],
    align=True,
)
"""State of one series, beside its cells: CELLS numbers of four bytes."""


class Drifting(NamedTuple):
    """A drift: up (1) or down (-1), the cells of its blocks, its begin (Unix milliseconds), values at its begin and now,
    slopes a day of it and before it, and whether it ended only because it goes on for so long that it is usual."""

    way: int
    width: int
    since_ms: int
    before: float
    now: float
    slope: float
    slope_before: float
    taken: bool = False


class Drift:
    """Many series; a series is a slot, 0 to n - 1.

    >>> drift = Drift()
    >>> drift.grow(1)
    >>> minutes = np.arange(30 * 1440)
    >>> leak = np.maximum(0, minutes - 20 * 1440) / 1440
    >>> noise = np.random.default_rng(1).standard_normal(len(minutes))
    >>> values = 50 + 10 * np.sin(minutes / 1440 * 2 * np.pi) + noise + leak
    >>> scores = drift.update(np.zeros(len(minutes), int), minutes * 60_000, values)
    >>> bool(scores[: 20 * 1440].max() < 0.9 <= scores[28 * 1440 :].max()), drift.ways([0]).tolist()
    (True, [1])
    """

    name = "drift"
    version = "blocks-line-1"

    def __init__(self) -> None:
        self.series = np.zeros(0, SERIES)
        self.cells = np.zeros((0, CELLS), np.float32)

    def grow(self, n: int, kinds: NDArray[np.int32] | None = None) -> None:
        """Make room for n series in all; `kinds` of the new ones as in rates.py, by default to be learned."""
        new = np.zeros(n - len(self.series), SERIES)
        new["cell"] = -1
        if kinds is not None:
            new["rate"]["kind"] = kinds
        self.series = np.concatenate((self.series, new))
        self.cells = np.concatenate((self.cells, np.full((len(new), CELLS), np.nan, np.float32)))

    def declare(self, slots: NDArray[np.int64], kinds: NDArray[np.int32]) -> None:
        """Take the kinds of these series, which were unknown; what was learned of a counter's values is forgotten."""
        self.series["rate"]["kind"][slots] = kinds
        counters = slots[kinds == COUNTER]
        self.series["cell"][counters], self.series["way"][counters] = -1, 0

    def update(
        self, rows: NDArray[np.int64], times_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Scores in [0, 1] of points (series slot, Unix milliseconds, value), in the order given: how sure it is that the
        series drifts, from 0.9 on a drift begins. NaN and infinity are gaps and score 0; what is older than the point
        before it is passed by."""
        scores = np.zeros(len(rows))
        _update(
            self.series, self.cells, np.ascontiguousarray(rows, np.int64),
            np.ascontiguousarray(times_ms, np.int64), np.ascontiguousarray(values, np.float64), scores,
        )  # fmt: skip
        return scores

    def ways(self, slots: Any) -> NDArray[np.int32]:
        """Of each of these series: 1 when it drifts upwards, -1 downwards, 0 when it does not drift."""
        return np.asarray(self.series["way"][slots])

    def found(self, slot: int) -> Drifting:
        """The drift of a series, or its last; `way` is 0 when it is over."""
        s = self.series[slot]
        before, now, slope, usual = (float(s[name]) for name in ("before", "now", "slope", "slope_before"))
        way, width, since_ms = int(s["way"]), int(s["width"]), round(s["since"] * 1000)
        return Drifting(way, width, since_ms, before, now, slope, usual, bool(s["taken"]))

    def resume(self, slot: int, drifting: Drifting) -> None:
        """Take it that a series drifts so, until its next blocks show something else."""
        s = self.series[slot]
        s["way"], s["width"], s["since"] = drifting.way, drifting.width, drifting.since_ms / 1000.0
        for name in ("before", "now", "slope", "slope_before"):
            s[name] = getattr(drifting, name)
        s["farthest"] = drifting.now
        s["score"] = BEGINS

    def stop(self, slot: int) -> None:
        """Take it that a series does not drift any more."""
        self.series["way"][slot], self.series["score"][slot] = 0, 0.0

    def explain(self, slot: int) -> tuple[Reason, ...]:
        """Whether a series drifts, in its own numbers."""
        d = self.found(slot)
        text = "It does not drift."
        if d.way:
            days = max((float(self.series["seconds"][slot]) - d.since_ms / 1000.0) / 86_400, 0.1)
            way, fast = "risen" if d.way > 0 else "fallen", abs(d.now - d.before) / days
            text = (
                f"It has {way} by {fast:.3g} a day for {days:.2g} days, {d.now:.6g} now against {d.before:.6g}; "
                f"before, the slope was {d.slope_before:.2g} a day."
            )
        return (Reason(ReasonKind.DRIFT, text, 1.0, d._asdict()),)

    def state(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "version": self.version, "series": self.series.view(np.uint8).reshape(-1).copy(),
            "cells": self.cells.reshape(-1).copy(),
        }  # fmt: skip

    def load(self, state: dict[str, Any] | None) -> bool:
        """Take back what `state` gave; False, and nothing changed, when it is of another version."""
        if not state or state.get("version") != self.version:
            return False
        raw = np.asarray(state["series"], np.uint8)
        if len(raw) % SERIES.itemsize:
            return False
        self.series = np.frombuffer(raw.tobytes(), SERIES).copy()
        self.cells = np.asarray(state["cells"], np.float32).reshape(-1, CELLS).copy()
        return True


@compiled
def _update(series: Any, cells: Any, rows: Any, times: Any, values: Any, scores: Any) -> None:
    for i in range(len(rows)):
        s = series[rows[i]]
        x, seconds = values[i], times[i] * 0.001
        if not math.isfinite(x):
            continue
        if seconds >= s.seconds or s.cell < 0:
            kind = s.rate.kind
            x = rate(s.rate, x, seconds)
            if s.cell < 0 or (s.rate.kind != kind and s.rate.kind != GAUGE):
                _begin(s, cells[rows[i]], seconds)  # what was learned was learned of the counter's values
            if seconds >= (s.cell + 1) * CELL:
                _close(s, cells[rows[i]], int(seconds // CELL))
            s.seconds = seconds
            if math.isfinite(x):
                s.sum += max(-LARGEST, min(LARGEST, x))
                s.count += 1
        scores[i] = s.score


@inlined
def _begin(s: Any, ring: Any, seconds: float) -> None:
    ring[:], s.usual[:] = np.nan, np.nan
    s.cell = int(seconds // CELL)
    s.first, s.ended, s.sum, s.count, s.way, s.score, s.moves = s.cell, 0, 0.0, 0, 0, 0.0, 0.0


@compiled
def _close(s: Any, ring: Any, cell: int) -> None:
    """The cell that was being filled is full; `cell` is the next one with a point."""
    ring[s.cell % CELLS] = s.sum / s.count if s.count > 0 else np.nan
    _learn(s, ring)
    last = min(cell, s.cell + CELLS + 1) - 1
    while True:
        if s.cell - s.first >= KNOWN_DAYS * DAY:
            _judge(s, ring)
        if s.cell >= last:
            break
        s.cell += 1
        ring[s.cell % CELLS] = np.nan
    s.cell, s.sum, s.count = cell, 0.0, 0
    ring[cell % CELLS] = np.nan


@inlined
def _learn(s: Any, ring: Any) -> None:
    """What is usual at the time of day of the cell that is full now."""
    days, n = np.empty(PROFILE_DAYS), 0
    for day in range(PROFILE_DAYS):
        x = ring[(s.cell - day * DAY) % CELLS]
        if math.isfinite(x):
            days[n] = x
            n += 1
    hour, known = s.cell % DAY, np.median(days[:n]) if n >= LEAST_DAYS else np.nan
    if math.isfinite(known) and math.isfinite(s.usual[hour]):
        s.moves += (known - s.usual[hour] - s.moves) / DAY
    s.usual[hour] = known


@inlined
def _judge(s: Any, ring: Any) -> None:
    """Look at the blocks that end with the cell that is full now."""
    if s.way == 0:
        s.score = 0.0
    for n in range(len(WIDTHS)):
        width = WIDTHS[n]
        if (s.cell + 1) % width != 0 or (s.way != 0 and width != s.width):
            continue
        known = min(s.cell - s.first + 1, CELLS)
        if s.way == 0 and s.cell + 1 - WINDOW * width < s.ended:
            break
        if s.way == 0 and width < DAY and not in_order(_blocks(s, ring, WINDOW * width, width), 0.0):
            continue
        blocks = _blocks(s, ring, known, width)
        if s.way != 0 and len(blocks) >= WINDOW:
            _goes_on(s, blocks, width)
        elif s.way == 0 and len(blocks) >= WINDOW + LEAST_STEPS:
            _begins(s, blocks, width)


@inlined
def _typical(s: Any) -> float:
    """The mean of what is usual over the day."""
    total, n = 0.0, 0
    for k in range(DAY):
        if math.isfinite(s.usual[k]):
            total += s.usual[k]
            n += 1
    return total / n + 0.5 * s.moves if n > 0 else 0.0


@inlined
def _blocks(s: Any, ring: Any, known: int, width: int) -> Any:
    """Of the newest `known` cells, less what is usual at the time of day (which was learned some hours ago, and moves on):
    medians of so many, the newest first; NaN where less than half of the cells are known."""
    known = min(known, (WINDOW + STEPS) * width)
    flat = np.empty(known)
    at, hour = s.cell % CELLS, s.cell % DAY
    for k in range(known):
        flat[k] = ring[at] - s.usual[hour] - s.moves * (k % DAY) / DAY
        at, hour = at - 1 if at > 0 else CELLS - 1, hour - 1 if hour > 0 else DAY - 1
    if width < DAY:
        return flat if width == 1 else medians(flat, width)
    days = medians(flat, DAY)
    without_weekdays(days)
    return days if width == DAY else medians(days, width // DAY)


@inlined
def _begins(s: Any, blocks: Any, width: int) -> None:
    """Whether the newest seven blocks are a drift."""
    steps = steps_of(blocks, WINDOW - 1)
    slope = slope_of(blocks, WINDOW)
    if len(steps) < LEAST_STEPS or not (math.isfinite(slope) and math.isfinite(blocks[0])):
        return
    usual = np.median(steps)
    before, lately = np.abs(steps - usual), np.abs(steps_of(blocks[:WINDOW], 0) - slope)
    size = max(not_exceeded(before, 0.9), not_exceeded(lately, 0.9)) / 1.645 * math.sqrt(WINDOW - 1)
    if width < DAY:
        size = max(size, wanders(blocks, usual) / HOURS_WANDER)
    excess, typical = (WINDOW - 1) * (slope - usual), _typical(s)
    sure = abs(excess) / (size + 1e-6 * (abs(typical) + abs(excess)) + 1e-300)
    if excess * slope <= 0.0 or not (in_order(blocks, usual) and on_a_line(blocks, usual)):
        return  # what only moves less than it did does not drift
    s.score = max(s.score, 1.0 - (1.0 - BEGINS) ** (sure / BAR))
    if sure >= BAR:
        per_day = DAY / width
        s.way, s.width, s.taken = (1 if excess > 0 else -1), width, 0
        s.since = (s.cell + 1 - WINDOW * width) * float(CELL)
        s.slope, s.slope_before = slope * per_day, usual * per_day
        s.now = blocks[0] + typical
        s.before, s.farthest = s.now - (WINDOW - 1) * slope, s.now


@inlined
def _goes_on(s: Any, blocks: Any, width: int) -> None:
    """Follow a drift; it is over when it is half way back, or the last blocks show little of it, or no more than has become
    usual."""
    slope, steps = slope_of(blocks, WINDOW) * DAY / width, steps_of(blocks, WINDOW - 1)
    if not (math.isfinite(blocks[0]) and math.isfinite(slope)):
        return
    s.now = blocks[0] + _typical(s)
    if s.way * (s.now - s.farthest) > 0.0:
        s.farthest = s.now
    back = s.way * (s.now - s.before) < 0.5 * s.way * (s.farthest - s.before)
    usual = np.median(steps) * DAY / width if len(steps) >= LEAST_STEPS else s.slope_before
    excess = abs(s.slope - s.slope_before)
    if back or s.way * (slope - usual) < GOES_ON * excess:
        s.taken = 1 if not back and s.way * (slope - s.slope_before) > 0.5 * excess else 0
        s.way, s.score, s.ended = 0, 0.0, s.cell
