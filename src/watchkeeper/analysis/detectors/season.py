"""What a series usually does: its level now, by time of day and by day of week, and how far it strays.

Five forecasts compete, three that follow the last minutes and two that follow the last hours; the one with
the least error so far is believed (follow the leader, Cesa-Bianchi and Lugosi 2006, ch. 3). So whether there
is a daily or weekly season is learned, not told. All learning is by steps of bounded size, as in Huber's
M-estimators (1964), so that an outage does not become the new normal; a level that stays is followed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.analysis.compiled import inlined

DAY_SLOTS = 288  # five minutes each
WEEK_SLOTS = 336  # half an hour each
FORECASTS = 5  # now, day + now, week + now; day + hours, week + hours
GUESSES = 7  # and day + a day or so, week + a day or so, which do not compete
DAY, WEEK = 86_400.0, 604_800.0

MEAN, VISITS, SPREAD_OF = 0, 1, 2
"""Columns of the profiles: mean, visits (at most 255), mean absolute residual (of the day only)."""

SEASON = np.dtype(
    [
        ("level", "f8"),
        ("day_near", "f8"),  # what the series lies above its profile: last minutes, last hours, longer
        ("day_far", "f8"),
        ("day_farther", "f8"),
        ("week_near", "f8"),
        ("week_far", "f8"),
        ("week_farther", "f8"),
        ("far", "f8"),
        ("error", "f8", (FORECASTS,)),
        ("errors", "i4", (FORECASTS,)),
        ("typical", "f8"),  # mean absolute residual at any time
        ("widest", "f8"),  # largest absolute residual of the last weeks
        ("scale", "f8"),
        ("step", "f8"),  # seconds between points
        ("count", "i4"),
        ("run", "i4"),  # outliers in a row on one side; the sign is the side
        ("week", "f4", (WEEK_SLOTS, 2)),
        ("day", "f4", (DAY_SLOTS, 3)),
    ]
)
"""State of one series; what is used together lies together."""

NEAR, FAR, FARTHER = 0.3, 0.01, 0.003  # shares of a new point in the levels
SPREAD, ERROR = 0.005, 0.003  # and in the spread, and in the errors of the forecasts
DAY_MEMORY, WEEK_MEMORY = 7.0, 5.0  # visits of a slot that it remembers
TRIED = 200  # points after which a forecast can be believed
OUTLIER = 4.0
STEP_BOUND = 3.0  # scales a level follows at once
HOLD = 2.0  # outliers in a row after which it may follow faster
FLOOR_OF_WIDEST, WIDEST_DAYS = 0.03, 14.0
WARM_UP = 20


@inlined
def forecasts(s: Any, day: int, other: int, weight: float, week: int, out: Any) -> None:
    """Write the five forecasts to `out`; where a profile knows nothing yet, the level takes its place."""
    profile = s.day[day, MEAN] * (1.0 - weight) + s.day[other, MEAN] * weight
    for k in range(GUESSES):
        out[k] = s.level if k < 3 else s.far
    if s.day[day, VISITS] > 0:
        out[1], out[3] = profile + s.day_near, profile + s.day_far
        out[5] = profile + s.day_farther
    if s.week[week, VISITS] > 0:
        out[2], out[4] = s.week[week, MEAN] + s.week_near, s.week[week, MEAN] + s.week_far
        out[6] = s.week[week, MEAN] + s.week_farther


@inlined
def leader(s: Any, first: int, last: int, none: int) -> int:
    """The forecast among first … last with clearly the least error, `none` when none has been tried."""
    best = none
    for k in range(first, last + 1):
        if s.errors[k] > TRIED and (best < 0 or s.error[k] < s.error[best] * 0.97):
            best = k
    return best


@inlined
def scale_of(s: Any, day: int) -> float:
    """How far the series strays by itself now: overall, at this time of day, and not too little for a series
    that was quiet but is known to jump."""
    everywhere = s.typical + 1e-12 + 1e-6 * abs(s.far)
    here = everywhere
    if s.day[day, VISITS] >= 2.0 * max(1.0, 300.0 / max(s.step, 1.0)):
        here = max(
            s.day[day, SPREAD_OF],
            max(s.day[(day + 1) % DAY_SLOTS, SPREAD_OF], s.day[(day - 1) % DAY_SLOTS, SPREAD_OF]),
        )
    scale: float = max(0.5 * (everywhere + here), max(0.3 * everywhere, FLOOR_OF_WIDEST * s.widest))
    return scale


@inlined
def learn(s: Any, x: float, day: int, other: int, weight: float, week: int, guess: Any, chosen: int) -> None:
    """Take a point into all profiles, levels and errors. `guess` are the forecasts made for it."""
    residual, scale = abs(x - guess[chosen]), s.scale
    s.count += 1
    early = s.count <= WARM_UP
    _score_forecasts(s, x, day, week, guess)
    s.widest = max(s.widest, residual) if s.count > 5 else residual
    near = residual if early else min(residual, 5.0 * scale)
    first = 1.0 / s.count if s.count < 1000 else 0.0
    s.typical += max(first, SPREAD) * (near - s.typical)
    visits = max(1.0, 300.0 / max(s.step, 1.0))
    rate = 1.0 / min(s.day[day, VISITS] + 1.0, DAY_MEMORY * visits)
    s.day[day, SPREAD_OF] += rate * (near - s.day[day, SPREAD_OF])
    bound = 1e300 if early else STEP_BOUND * scale
    if abs(s.run) > HOLD:
        bound *= 2.0 ** min(60.0, abs(s.run) - HOLD)
    _follow(s, x, day, other, weight, week, bound, max(first, NEAR), max(first, FAR))
    _profile(s.day, day, x, scale, rate, 2.0 * visits)
    visits = max(1.0, 1800.0 / max(s.step, 1.0))
    rate = 1.0 / min(s.week[week, VISITS] + 1.0, WEEK_MEMORY * visits)
    _profile(s.week, week, x, scale, rate, 2.0 * visits)


@inlined
def _score_forecasts(s: Any, x: float, day: int, week: int, guess: Any) -> None:
    for k in range(FORECASTS):
        if (k % 2 == 1 and s.day[day, VISITS] == 0) or (k in (2, 4) and s.week[week, VISITS] == 0):
            continue
        error = abs(x - guess[k])
        if s.errors[k] >= WARM_UP:
            error = min(error, 8.0 * (s.error[k] + 1e-12))
        share = ERROR
        if s.errors[k] < 1.0 / ERROR:  # quicker at first
            s.errors[k] += 1
            share = 1.0 / s.errors[k]
        s.error[k] += share * (error - s.error[k])


@inlined
def _follow(
    s: Any, x: float, day: int, other: int, weight: float, week: int, bound: float, near: float, far: float
) -> None:
    """Move the levels towards the point, by no more than `bound`."""
    s.level += near * max(-bound, min(bound, x - s.level))
    s.far += far * max(-bound, min(bound, x - s.far))
    if s.day[day, VISITS] > 0:
        above = x - (s.day[day, MEAN] * (1.0 - weight) + s.day[other, MEAN] * weight)
        s.day_near += NEAR * max(-bound, min(bound, above - s.day_near))
        s.day_far += FAR * max(-bound, min(bound, above - s.day_far))
        s.day_farther += FARTHER * max(-bound, min(bound, above - s.day_farther))
    if s.week[week, VISITS] > 0:
        above = x - s.week[week, MEAN]
        s.week_near += NEAR * max(-bound, min(bound, above - s.week_near))
        s.week_far += FAR * max(-bound, min(bound, above - s.week_far))
        s.week_farther += FARTHER * max(-bound, min(bound, above - s.week_farther))


@inlined
def _profile(profile: Any, slot: int, x: float, scale: float, rate: float, known: float) -> None:
    step, visits = x - profile[slot, MEAN], profile[slot, VISITS]
    if visits >= known:
        step = max(-6.0 * scale, min(6.0 * scale, step))
    profile[slot, MEAN] += rate * step
    profile[slot, VISITS] = min(visits + 1.0, 255.0)
