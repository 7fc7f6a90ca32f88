"""The default detector: every series judged by its own season, and every deviation by the series' own past.

One pass, a few kilobytes a series, the same code live and offline. Two questions are asked of each point:
is it, with its neighbours, larger than what six hours usually hold (blocks.py)? Is it rare by the tail of
all points so far, both as a departure from the hours' forecast and as a shift of the last points (tail.py)?
The answers are chances; the score is a fixed function of the smaller one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled
from watchkeeper.analysis.detectors import rates
from watchkeeper.analysis.detectors.blocks import BLOCK, BLOCKS, chance, ratio
from watchkeeper.analysis.detectors.rates import GAUGE, RATE, rate
from watchkeeper.analysis.detectors.season import (
    DAY,
    DAY_SLOTS,
    FORECASTS,
    MEAN,
    OUTLIER,
    SEASON,
    TRIED,
    VISITS,
    WARM_UP,
    WEEK,
    WEEK_SLOTS,
    WIDEST_DAYS,
    forecasts,
    leader,
    learn,
    scale_of,
)
from watchkeeper.analysis.detectors.tail import TAIL, surprise
from watchkeeper.model.reason import Reason, ReasonKind

LAST = 6  # points that are judged together
GAP = 8.0  # steps without a point after which the last minutes say nothing
CALM_RATIO, CALM_SURPRISE = 0.5 ** (1 / 30), 0.5 ** (1 / 40)  # by which an alarm's shadow shrinks a point
LEAST_RATIO = 2.0
ALONE = 0.55  # weight of a deviation of one point

STATE = np.dtype(
    [
        ("rate", RATE),
        ("last", "f4", (LAST,)),  # deviations in scales
        ("seen", "i4"),
        ("seconds", "f8"),
        ("shadow_ratio", "f8"),  # of the last alarms: what is smaller is the same alarm
        ("shadow_surprise", "f8"),
        ("value", "f8"),  # of the last point, for explanations and for whoever decides on alerts
        ("expected", "f8"),
        ("spread", "f8"),
        ("deviation", "f8"),
        ("ratio", "f8"),
        ("surprise", "f8"),
        ("tails", TAIL, (2,)),
        ("blocks", BLOCKS),
        ("season", SEASON),
    ]
)
"""State of one series: fixed size, plain numbers."""


class Bank:
    """The default bank of detectors over many series; a series is a slot, 0 to n - 1.

    >>> import numpy as np
    >>> bank = Bank()
    >>> bank.grow(1)
    >>> minutes = np.arange(3000)
    >>> values = 50 + np.random.default_rng(1).standard_normal(3000)
    >>> values[2500:2505] += 30
    >>> scores = bank.update(np.zeros(3000, int), minutes * 60_000, values)
    >>> bool(scores[:2500].max() < 0.9 < scores[2500:2505].max()), bool(scores[2600:].max() < 0.9)
    (True, True)
    """

    name = "bank"
    version = "season-blocks-tail-1"

    def __init__(self) -> None:
        self.series = np.zeros(0, STATE)

    def grow(self, n: int, kinds: NDArray[np.int32] | None = None) -> None:
        """Make room for n series in all; `kinds` of the new ones as in rates.py, by default to be learned."""
        new = np.zeros(n - len(self.series), STATE)
        if kinds is not None:
            new["rate"]["kind"] = kinds
        self.series = np.concatenate((self.series, new))

    def update(
        self, rows: NDArray[np.int64], times_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Scores in [0, 1] of points (series slot, Unix milliseconds, value), in the order given.

        A score is 1 - p^(1/4) for the chance p of such a point: 0.9 is one in 10,000. NaN and infinity are
        gaps and score 0. A point that is older than one before it counts as come at that one's time.
        """
        scores = np.zeros(len(rows))
        _update(
            self.series, np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(times_ms, np.int64),
            np.ascontiguousarray(values, np.float64), scores,
        )  # fmt: skip
        return scores

    def season(self, slot: int) -> tuple[bool, bool]:
        """Whether the hours' forecast of a series goes by the time of day, and whether by the day of week."""
        s = self.series[slot]["season"]
        week = s["errors"][4] > TRIED and s["error"][4] < 0.97 * s["error"][3]
        return bool(s["errors"][3] > TRIED), bool(week)

    def explain(self, slot: int) -> tuple[Reason, ...]:
        """Why the last point of a series has its score, in its own numbers."""
        s = self.series[slot]
        low, high = s["expected"] - 2.5 * s["spread"], s["expected"] + 2.5 * s["spread"]
        text = (
            f"The value is {s['value']:.6g}; usual at this time is {low:.6g} to {high:.6g}, "
            f"and a deviation like this is {s['ratio']:.2g} times the largest of most six hours."
        )
        data = {name: float(s[name]) for name in ("value", "expected", "spread", "ratio", "surprise")}
        return (Reason(ReasonKind.LEVEL, text, 1.0, data),)

    def state(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {"version": self.version, "series": self.series.view(np.uint8).reshape(-1).copy()}

    def load(self, state: dict[str, Any] | None) -> bool:
        """Take back what `state` gave; False, and nothing changed, when it is of another version."""
        if not state or state.get("version") != self.version:
            return False
        raw = np.asarray(state["series"], np.uint8)
        if len(raw) % STATE.itemsize:
            return False
        self.series = np.frombuffer(raw.tobytes(), STATE).copy()
        return True


@compiled
def _update(series: Any, rows: Any, times: Any, values: Any, scores: Any) -> None:
    guess = np.zeros(FORECASTS)
    for i in range(len(rows)):
        s = series[rows[i]]
        x, seconds = values[i], times[i] / 1000.0
        if not math.isfinite(x):
            continue
        kind = s.rate.kind
        x = rate(s.rate, x, seconds)
        if s.rate.kind != kind and s.rate.kind != GAUGE:
            s.season.count = 0  # what was learned was learned of the counter's values
            _begin_again(s)
        if math.isfinite(x):
            scores[i] = _point(s, x, seconds, guess)


@compiled
def _begin_again(s: Any) -> None:
    """Forget what was learned of the values of what turned out to be a counter."""
    s.season.day[:], s.season.week[:] = 0.0, 0.0
    s.season.error[:], s.season.errors[:] = 0.0, 0
    s.season.level, s.season.far, s.season.typical, s.season.widest = 0.0, 0.0, 0.0, 0.0
    s.season.day_near, s.season.day_far, s.season.week_near, s.season.week_far = 0.0, 0.0, 0.0, 0.0


@compiled
def _point(s: Any, x: float, seconds: float, guess: Any) -> float:
    """Judge one value of one series, then learn from it. Returns its score."""
    sea = s.season
    elapsed = max(0.0, seconds - s.seconds) if s.seen > 0 else 0.0
    now = s.seconds + elapsed if s.seen > 0 else seconds
    after_gap = s.seen > 0 and sea.step > 0.0 and elapsed > GAP * sea.step
    if elapsed > 0.0:
        sea.step += (min(elapsed, 3.0 * sea.step) - sea.step) * 0.05 if sea.step > 0.0 else elapsed
    sea.widest *= 1.0 - 0.693 * min(elapsed, 3600.0) / (WIDEST_DAYS * DAY)
    s.seconds, s.seen = now, min(s.seen + 1, 1_000_000_000)
    date = math.floor(seconds / DAY)
    second_of_day = seconds - date * DAY
    place = second_of_day * (DAY_SLOTS / DAY)
    day = int(place)
    off = place - day - 0.5
    other = (day + 1) % DAY_SLOTS if off > 0 else (day - 1) % DAY_SLOTS
    weight = abs(off) if sea.day[other, VISITS] > 0 else 0.0
    week = int((seconds - math.floor(seconds / WEEK) * WEEK) * (WEEK_SLOTS / WEEK))
    if sea.count == 0 or after_gap:
        _catch_up(sea, x, day, other, weight, week)
    forecasts(sea, day, other, weight, week, guess)
    chosen, slow = leader(sea, 1, 2, 0), leader(sea, 3, 4, -1)
    if chosen == 0 or sea.error[0] * 0.97 <= sea.error[chosen]:
        chosen = 0
    sea.scale = scale_of(sea, day)
    near = (x - guess[chosen]) / sea.scale
    far = (x - guess[slow]) / sea.scale if slow >= 0 else 0.0
    warm = sea.count >= WARM_UP
    score = 0.0
    if not after_gap:
        score = _judge(s, near if warm else 0.0, far if warm else 0.0, now, date, second_of_day)
    s.value, s.expected, s.spread = x, guess[slow if slow >= 0 else chosen], sea.scale
    side = 1 if near > 0 else -1
    if not warm or abs(near) <= OUTLIER:
        sea.run = 0
    else:
        sea.run = sea.run + side if sea.run * side > 0 else side
    learn(sea, x, day, other, weight, week, guess, chosen)
    return score


@compiled
def _catch_up(sea: Any, x: float, day: int, other: int, weight: float, week: int) -> None:
    """At the start and after a gap: the last minutes begin with this point."""
    sea.level = x
    if sea.count == 0:
        sea.far = x
    if sea.day[day, VISITS] > 0:
        sea.day_near = x - (sea.day[day, MEAN] * (1.0 - weight) + sea.day[other, MEAN] * weight)
    if sea.week[week, VISITS] > 0:
        sea.week_near = x - sea.week[week, MEAN]


@compiled
def _judge(s: Any, near: float, far: float, now: float, date: float, second_of_day: float) -> float:
    """The score of a deviation of `near` scales from the minutes' forecast, `far` from the hours'."""
    deviation = near
    if far != 0.0:
        both = near * far  # |near|^(3/4) |far|^(1/4): near counts for more
        deviation = math.copysign(math.sqrt(abs(near) * math.sqrt(both)), near) if both > 0.0 else 0.0
    for k in range(LAST - 1):
        s.last[k] = s.last[k + 1]
    s.last[LAST - 1] = deviation
    s.deviation = deviation
    s.ratio = ratio(s.blocks, _together(s.last, deviation), now, date, second_of_day)
    shift = 0.0
    for k in range(LAST):
        shift += max(-6.0, min(6.0, s.last[k]))
    rare = 0.5 * (surprise(s.tails[0], abs(far)) + surprise(s.tails[1], abs(shift) / math.sqrt(LAST)))
    s.shadow_ratio *= CALM_RATIO
    s.shadow_surprise *= CALM_SURPRISE
    out = 0.0
    if rare > s.shadow_surprise:
        out = s.shadow_surprise = rare
    if s.ratio > s.shadow_ratio:
        s.shadow_ratio = s.ratio
        if s.ratio >= LEAST_RATIO:
            points = max(1.0, BLOCK / max(s.season.step, 1.0))
            out = max(out, -math.log10(max(chance(s.ratio) / points, 1e-30)))
    s.surprise = out
    score: float = 1.0 - 10.0 ** (-0.25 * out) if out > 0.0 else 0.0
    return score


@compiled
def _together(last: Any, deviation: float) -> float:
    """The size of a deviation that two of the last three points show; one alone counts for less."""
    side = 1.0 if deviation > 0.0 else -1.0
    first, second = 0.0, 0.0
    for k in range(LAST - 3, LAST):
        x = last[k] * side
        if x > first:
            first, second = x, first
        elif x > second:
            second = x
    size: float = max(math.sqrt(first * second), ALONE * abs(deviation))
    return size


KINDS = {"gauge": rates.GAUGE, "counter": rates.COUNTER}
"""Kinds of the SERIES stream to kinds of the bank; all others are learned."""
