"""The default detector: every series judged by its own season, and every deviation by the series' own past.

One pass, a few kilobytes a series, the same code live and offline. Two questions are asked of each point:
is it, with its neighbours, larger than what a block of hours usually holds (blocks.py)? Is it rare among all
points so far: by the tails of six statistics (tail.py) and as a record (records.py), taken together as in
Fisher's method? The answers are chances; the score is a fixed function of the smaller one, and once an alarm
is given only a louder one is another.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled, inlined
from watchkeeper.analysis.detectors import rates
from watchkeeper.analysis.detectors.blocks import ABOUT, BLOCKS, FLOOR, QUARTERS, chance, length, ratio
from watchkeeper.analysis.detectors.rates import COUNTER, GAUGE, RATE, rate
from watchkeeper.analysis.detectors.reasons import (
    FAR,
    FARTHER,
    HIGH,
    JUMP,
    LONG,
    SHIFTED,
    STATISTICS,
    UNREST,
    because,
)
from watchkeeper.analysis.detectors.records import RECORD, record
from watchkeeper.analysis.detectors.season import (
    DAY,
    DAY_SLOTS,
    GUESSES,
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
from watchkeeper.analysis.memory import LINE, offset, prefetch
from watchkeeper.model.reason import Reason

LAST = 48  # points that are remembered; a change of variance is judged over all
SHIFT, LONG_SHIFT = 6, 24  # points of a shift
GAP = 8.0  # steps without a point after which the last minutes say nothing
CALM, LOUDER = 0.5 ** (1 / 60), 1.3  # an alarm's shadow shrinks by CALM a point; a new one is LOUDER than it
SLOW, QUICKEST = 300.0, 4.0  # and quicker, in points, where they come in less than five minutes
LEAST_RATIO = 2.3
HABIT, HABITUAL, MILD = 2.5, 1.3, 1.5  # what is up to 1.3 times a habit of over 2.5 scales surprises mildly
ALONE = 0.55  # weight of a deviation of one point

STATE = np.dtype(
    [
        ("rate", RATE),
        ("seen", "i4"),
        ("at", "i4"),  # place of the last point in `last`
        ("seconds", "f8"),
        ("shadow", "f8"),  # of the last alarms: what is not louder is the same alarm
        ("recent_ratio", "f8"),
        ("unrest", "f8"),  # sum of the sizes in `last`, and their mean of all time
        ("usual_unrest", "f8"),
        ("value", "f8"),  # of the last point, for explanations and for whoever decides on alerts
        ("expected", "f8"),
        ("spread", "f8"),
        ("deviation", "f8"),
        ("ratio", "f8"),
        (
            "rose",
            "f8",
        ),  # when `recent_ratio` did last, in seconds; and what was expected then, with what spread
        ("expected_then", "f8"),
        ("spread_then", "f8"),
        ("surprise", "f8"),
        ("usual_jump", "f8"),
        ("spoke", "f4", (STATISTICS,)),  # surprises of the last point
        ("tails", TAIL, (STATISTICS - 1,)),
        ("record", RECORD),
        ("sizes", "f4", (SHIFT,)),  # of the last points, each with its neighbours
        ("last", "f4", (LAST,)),  # deviations in scales
        ("blocks", BLOCKS),
        ("season", SEASON),
    ]
)
"""State of one series: fixed size, plain numbers."""
AHEAD = 2  # points between asking memory for a state and its use
_SIZE, _HABIT = STATE.itemsize, offset(STATE, "blocks") + offset(BLOCKS, "habit")
_SEASON = offset(STATE, "season")
_WEEK, _DAY = _SEASON + offset(SEASON, "week"), _SEASON + offset(SEASON, "day")
_WEEK_SLOT, _DAY_SLOT = SEASON["week"].itemsize // WEEK_SLOTS, SEASON["day"].itemsize // DAY_SLOTS
_QUARTER = BLOCKS["habit"].itemsize // QUARTERS


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
    version = "season-blocks-tails-records-4"

    def __init__(self) -> None:
        self.series = np.zeros(0, STATE)

    def grow(self, n: int, kinds: NDArray[np.int32] | None = None) -> None:
        """Make room for n series in all; `kinds` of the new ones as in rates.py, by default to be learned."""
        new = np.zeros(n - len(self.series), STATE)
        if kinds is not None:
            new["rate"]["kind"] = kinds
        self.series = np.concatenate((self.series, new))

    def declare(self, slots: NDArray[np.int64], kinds: NDArray[np.int32]) -> None:
        """Take the kinds of these series, which were unknown; a counter begins anew, as what was learned was learned of
        its values."""
        last = self.series["rate"][["value", "seconds"]][slots]
        self.series[slots[kinds == COUNTER]] = np.zeros((), STATE)
        for name in ("value", "seconds"):
            self.series["rate"][name][slots] = last[name]
        self.series["rate"]["kind"][slots] = kinds

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

    def score_of(self, slot: int, multiple: float) -> float:
        """The score of a deviation of this multiple of the usual largest, in this series."""
        return float(_score(_rarity(multiple, float(self.series[slot]["season"]["step"]))))

    def season(self, slot: int) -> tuple[bool, bool]:
        """Whether the hours' forecast of a series goes by the time of day, and whether by the day of week."""
        s = self.series[slot]["season"]
        week = s["errors"][4] > TRIED and s["error"][4] < 0.97 * s["error"][3]
        return bool(s["errors"][3] > TRIED), bool(week)

    def explain(self, slot: int) -> tuple[Reason, ...]:
        """Why the last point of a series has its score, in its own numbers."""
        return because(self.series[slot])

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
    guess, memory = np.zeros(GUESSES), series.ctypes.data
    for i in range(len(rows)):
        s = series[rows[i]]
        if i + AHEAD < len(rows):
            _bring(memory + rows[i + AHEAD] * _SIZE, times[i + AHEAD] / 1000.0)
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


@inlined
def _bring(state: int, seconds: float) -> None:
    """Have memory bring what a later point will need of the state at this address, while others are worked on."""
    date = math.floor(seconds / DAY)
    day = int((seconds - date * DAY) * (DAY_SLOTS / DAY))
    week = int((seconds - math.floor(seconds / WEEK) * WEEK) * (WEEK_SLOTS / WEEK))
    for at in range(0, _HABIT, LINE):  # all that lies before the habits
        prefetch(state + at)
    habit = state + _HABIT + max(0, day * QUARTERS // DAY_SLOTS - ABOUT) * _QUARTER
    prefetch(habit)
    prefetch(habit + LINE)
    for at in range(_SEASON, _WEEK + LINE, LINE):
        prefetch(state + at)
    prefetch(state + _WEEK + week * _WEEK_SLOT)
    prefetch(state + _DAY + (day - 1) * _DAY_SLOT)
    prefetch(state + _DAY + (day + 1) * _DAY_SLOT)


@inlined
def _begin_again(s: Any) -> None:
    """Forget what was learned of the values of what turned out to be a counter."""
    s.season.day[:], s.season.week[:] = 0.0, 0.0
    s.season.error[:], s.season.errors[:] = 0.0, 0
    s.season.level, s.season.far, s.season.typical, s.season.widest = 0.0, 0.0, 0.0, 0.0
    s.season.day_near, s.season.day_far, s.season.day_farther = 0.0, 0.0, 0.0
    s.season.week_near, s.season.week_far, s.season.week_farther = 0.0, 0.0, 0.0
    s.record.known, s.record.count = 0, 0


@inlined
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
    per_scale = 1.0 / sea.scale
    near = (x - guess[chosen]) * per_scale
    far, farther = 0.0, 0.0
    if slow >= 0:
        far, farther = (x - guess[slow]) * per_scale, (x - guess[slow + 2]) * per_scale
    jump = _jump(s, abs(x - s.value)) if sea.count > 0 else 0.0
    warm = sea.count >= WARM_UP
    score, recent = 0.0, s.recent_ratio
    s.spoke[:] = 0.0
    if not after_gap:
        quiet = 1.0 if warm else 0.0
        s.spoke[FARTHER] = surprise(s.tails[FARTHER], abs(farther) * quiet)
        s.spoke[JUMP] = surprise(s.tails[JUMP], jump)
        s.spoke[HIGH] = record(s.record, x)
        score = _judge(s, near * quiet, far * quiet, now, date, second_of_day)
    s.value, s.expected, s.spread = x, guess[slow if slow >= 0 else chosen], sea.scale
    if s.recent_ratio > recent:
        s.rose, s.expected_then, s.spread_then = now, s.expected, s.spread
    side = 1 if near > 0 else -1
    if not warm or abs(near) <= OUTLIER:
        sea.run = 0
    else:
        sea.run = sea.run + side if sea.run * side > 0 else side
    learn(sea, x, day, other, weight, week, guess, chosen)
    return score


@inlined
def _catch_up(sea: Any, x: float, day: int, other: int, weight: float, week: int) -> None:
    """At the start and after a gap: the last minutes begin with this point."""
    sea.level = x
    if sea.count == 0:
        sea.far = x
    if sea.day[day, VISITS] > 0:
        sea.day_near = x - (sea.day[day, MEAN] * (1.0 - weight) + sea.day[other, MEAN] * weight)
    if sea.week[week, VISITS] > 0:
        sea.week_near = x - sea.week[week, MEAN]


@inlined
def _judge(s: Any, near: float, far: float, now: float, date: float, second_of_day: float) -> float:
    """The score of a deviation of `near` scales from the minutes' forecast, `far` from the hours'."""
    deviation = near
    if far != 0.0:
        both = near * far  # |near|^(3/4) |far|^(1/4): near counts for more
        deviation = math.copysign(math.sqrt(abs(near) * math.sqrt(both)), near) if both > 0.0 else 0.0
    s.at = s.at + 1 if s.at + 1 < LAST else 0
    unrest = _unrest(s, deviation)
    s.last[s.at] = deviation
    s.deviation = deviation
    size = _together(s, deviation)
    s.ratio, habit = ratio(s.blocks, size, now, date, second_of_day, s.season.step)
    s.recent_ratio = max(s.recent_ratio * CALM, min(s.ratio, size / max(FLOOR, habit)))
    largest = size
    for k in range(SHIFT):
        largest = max(largest, s.sizes[k])
    s.sizes[s.at % SHIFT] = size
    shift, longer = _shifts(s)
    s.spoke[FAR] = surprise(s.tails[FAR], abs(far))
    s.spoke[SHIFTED] = surprise(s.tails[SHIFTED], shift)
    s.spoke[LONG] = surprise(s.tails[LONG], longer)
    s.spoke[UNREST] = surprise(s.tails[UNREST], unrest)
    rare = 0.0
    for k in range(STATISTICS):
        rare += s.spoke[k]
    rare /= STATISTICS
    if habit > HABIT and largest < HABITUAL * habit:
        rare = min(rare, MILD)
    if s.ratio >= LEAST_RATIO:
        rare = max(rare, _rarity(s.ratio, s.season.step))
    s.shadow *= 1.0 - (1.0 - CALM) * max(1.0, min(QUICKEST, SLOW / max(s.season.step, 1.0)))
    s.surprise = rare if rare > LOUDER * s.shadow else 0.0
    s.shadow = max(s.shadow, s.surprise)
    return _score(s.surprise)


@compiled
def _rarity(multiple: float, step: float) -> float:
    """Minus the decimal logarithm of the chance of a point with this multiple of the usual largest."""
    points = max(1.0, length(step) / max(step, 1.0))
    return -math.log10(max(chance(multiple) / points, 1e-30))


@compiled
def _score(rarity: float) -> float:
    return 1.0 - 10.0 ** (-0.25 * rarity) if rarity > 0.0 else 0.0


@inlined
def _jump(s: Any, size: float) -> float:
    """The step from the last value to this, in usual steps. Learns from it."""
    out: float = size / (s.usual_jump + 1e-12)
    rate = 1.0 / s.seen if s.seen < 200 else 0.005
    s.usual_jump += rate * ((min(size, 5.0 * s.usual_jump) if s.seen > WARM_UP else size) - s.usual_jump)
    return out


@inlined
def _shifts(s: Any) -> tuple[float, float]:
    """How far the last points lie to one side, together: the last 6, and the last 24."""
    shift, longer = 0.0, 0.0
    for k in range(LONG_SHIFT):
        longer += max(-6.0, min(6.0, s.last[s.at - k if s.at >= k else s.at - k + LAST]))
        if k == SHIFT - 1:
            shift = longer
    return abs(shift) / math.sqrt(SHIFT), abs(longer) / math.sqrt(LONG_SHIFT)


@inlined
def _unrest(s: Any, deviation: float) -> float:
    """How much larger the last deviations are than usual, whatever their sign. Learns from this one."""
    size = min(8.0, abs(deviation))
    s.unrest += size - min(8.0, abs(s.last[s.at]))
    known = min(s.seen, LAST)
    more = s.unrest / known / max(s.usual_unrest, 0.1) - 1.0
    s.usual_unrest += (1.0 / s.seen if s.seen < 500 else 0.002) * (size - s.usual_unrest)
    unrest: float = max(0.0, more) * math.sqrt(LAST)
    return unrest


@inlined
def _together(s: Any, deviation: float) -> float:
    """The size of a deviation that two of the last three points show; one alone counts for less."""
    side = 1.0 if deviation > 0.0 else -1.0
    first, second = 0.0, 0.0
    for k in range(3):
        x = s.last[s.at - k if s.at >= k else s.at - k + LAST] * side
        if x > first:
            first, second = x, first
        elif x > second:
            second = x
    size: float = max(math.sqrt(first * second), ALONE * abs(deviation))
    return size


KINDS = {"gauge": rates.GAUGE, "counter": rates.COUNTER}
"""Kinds of the SERIES stream to kinds of the bank; all others are learned."""
