"""Draws docs/images/drift.svg: the memory of a service that begins to leak, the days in which that is found, and the scores
that the bank gives its points. A test draws it again and compares. Colours are readable on light and dark ground.

    python tools/draw_drift.py docs/images/drift.svg
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.bank import Bank
from watchkeeper.analysis.detectors.drift import Drift, Drifting
from watchkeeper.analysis.stages.detect_words import drifts, quantity, worth_of_drift

Array = NDArray[np.float64]
DAYS, STEP, PER_DAY = 42, 300, 288
LEAK = 26.0  # day on which it begins
BEGIN = 1_748_822_400  # a Monday, 00:00 UTC
WIDTH, LEFT, TOP, HIGH, LOW = 760, 70, 46, 170, 60
GREY, LINE, FOUND = "#8a8f98", "#4c8dd6", "#d6604d"


def memory() -> Array:
    """Bytes, one value in five minutes: more by day and on weekdays, caches that fill and are emptied, noise; and 35 MiB a
    day that are never given back."""
    random, day = np.random.default_rng(11), np.arange(DAYS * PER_DAY) / PER_DAY
    busy = (1 + 0.06 * np.sin(2 * np.pi * (day - 0.3))) * np.where(day // 1 % 7 >= 5, 0.95, 1.0)
    caches = 60e6 * (day * 24 / 7 % 1.0)
    wander = np.convolve(random.standard_normal(len(day) + 71), np.ones(72) / np.sqrt(72), "valid") * 12e6
    leak = 35 * 2**20 * np.maximum(0.0, day - LEAK)
    return np.asarray(2.2e9 * busy + caches + wander + 12e6 * random.standard_normal(len(day)) + leak)


def found(values: Array) -> tuple[float, Drifting]:
    """The day on which it is told, and what."""
    drift = Drift()
    drift.grow(1)
    for k, value in enumerate(values):
        drift.update(np.zeros(1, int), np.array([(BEGIN + k * STEP) * 1000]), np.array([value]))
        told = drift.found(0)
        if told.way and worth_of_drift("By", False, told.before, told.now):
            return k / PER_DAY, told
    raise AssertionError("it is not found")


def scores(values: Array) -> Array:
    """Of the bank, the highest of each hour."""
    bank = Bank()
    bank.grow(1)
    times = (BEGIN + np.arange(len(values)) * STEP) * 1000
    return np.asarray(bank.update(np.zeros(len(values), int), times, values).reshape(-1, 12).max(axis=1))


def draw() -> str:
    """The picture as SVG."""
    values = memory()
    told_on, told = found(values)
    hours = values.reshape(-1, 12).mean(axis=1)
    days = np.median(hours.reshape(-1, 24), axis=1)
    since = (told.since_ms / 1000 - BEGIN) / 86_400
    now_ms = int((BEGIN + told_on * 86_400) * 1000)
    course, *sizes = drifts(told, now_ms, "By", False), quantity(told.now, "By"), quantity(told.before, "By")
    return "\n".join(
        [
            "<!-- made by tools/draw_drift.py -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {TOP + HIGH + LOW + 76}" '
            'font-family="sans-serif" font-size="13" role="img"><title>Six weeks of the memory of a service: a leak is '
            "found, and no point has a high score</title>",
            f'<text x="{LEFT}" y="22" fill="{FOUND}">Told on day {told_on:.0f}: Memory usage of api {course}: '
            f"{sizes[0]} now against {sizes[1]}.</text>",
            *_values(hours, days, since, told_on),
            *_scores(scores(values)),
            "</svg>",
            "",
        ]
    )


def _values(hours: Array, days: Array, since: float, told_on: float) -> list[str]:
    low, high = float(hours.min()), float(hours.max())

    def y(value: float) -> float:
        return round(TOP + HIGH * (1 - (value - low) / (high - low)), 1)

    line = " ".join(f"{_x(i / 24)},{y(v)}" for i, v in enumerate(hours))
    out = [
        f'<rect x="{_x(since)}" y="{TOP}" width="{round(_x(told_on) - _x(since), 1)}" height="{HIGH}" fill="{FOUND}" '
        'fill-opacity=".15"/>',
        f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1" stroke-opacity=".6"/>',
        f'<path d="M{_x(LEAK)} {TOP}V{TOP + HIGH}" stroke="{GREY}" stroke-dasharray="4 3"/>',
        f'<text x="{_x(LEAK) - 6}" y="{TOP + 14}" text-anchor="end" fill="{GREY}">the leak begins</text>',
    ]
    for n, level in enumerate(days):
        colour = FOUND if since <= n < told_on else LINE
        out.append(f'<circle cx="{_x(n + 0.5)}" cy="{y(level)}" r="3.5" fill="{colour}"/>')
    for size in (2.0, 2.5):
        out.append(
            f'<text x="{LEFT - 8}" y="{y(size * 2**30) + 4}" text-anchor="end" fill="{GREY}">{size} GiB</text>'
        )
    return out


def _scores(highest: Array) -> list[str]:
    base = TOP + HIGH + 30 + LOW
    line = " ".join(f"{_x(i / 24)},{round(base - LOW * s, 1)}" for i, s in enumerate(highest))
    at = round(base - LOW * 0.9, 1)
    weeks = [
        f'<text x="{_x(d)}" y="{base + 20}" text-anchor="middle" fill="{GREY}">day {d}</text>'
        for d in range(0, DAYS + 1, 7)
    ]
    return [
        f'<path d="M{LEFT} {at}H{WIDTH - 30}" stroke="{GREY}" stroke-dasharray="2 3"/>',
        f'<text x="{LEFT - 8}" y="{at + 4}" text-anchor="end" fill="{GREY}">0.9</text>',
        f'<text x="{LEFT - 8}" y="{base}" text-anchor="end" fill="{GREY}">score</text>',
        f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1"/>',
        *weeks,
    ]


def _x(day: float) -> float:
    return round(LEFT + day / DAYS * (WIDTH - LEFT - 30), 1)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw())
