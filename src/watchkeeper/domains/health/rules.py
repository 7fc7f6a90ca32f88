"""The arithmetic of health scores, as Splunk's IT Service Intelligence documents it ("How service health scores work in
ITSI"): the mean of what each indicator's state contributes, weighted by its importance. Pure.

>>> judged = [Judged("a", State.NORMAL, 10), Judged("b", State.LOW, 7), Judged("c", State.HIGH, 5)]
>>> round(score(judged).value, 1)
74.5
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

#: an indicator this important decides alone when it is critical
MINIMUM = 11


class State(StrEnum):
    """How an indicator or a service is, from best to worst; unknown when there is nothing to judge by."""

    NORMAL = "normal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


#: what a state contributes to the score
CONTRIBUTION = {State.NORMAL: 100, State.LOW: 70, State.MEDIUM: 50, State.HIGH: 30, State.CRITICAL: 0}
#: the least score of a state
LEAST = ((80, State.NORMAL), (60, State.LOW), (40, State.MEDIUM), (20, State.HIGH), (0, State.CRITICAL))
_OF_SEVERITY = {"critical": State.CRITICAL, "error": State.HIGH, "warning": State.MEDIUM, "info": State.LOW}


class Judged(msgspec.Struct, frozen=True):
    """An indicator, its state and its importance: 0 does not count, 10 counts most, 11 see MINIMUM. `said`: what was
    seen, for people."""

    name: str
    state: State
    importance: int
    said: str = ""


class Part(msgspec.Struct, frozen=True):
    """What one indicator did to the score: `lost` points of 100."""

    name: str
    state: State
    importance: int
    said: str
    lost: float


class Score(msgspec.Struct, frozen=True):
    """`value` is 0 to 100, None when no indicator that counts is known; `parts`, what cost most first."""

    value: float | None
    state: State
    parts: tuple[Part, ...]


def score(judged: Sequence[Judged]) -> Score:
    """The score of a service. Unknown indicators and those of importance 0 are left out of the mean."""
    counted = [j for j in judged if j.importance > 0 and j.state in CONTRIBUTION]
    weight = sum(j.importance for j in counted)
    down = any(j.importance >= MINIMUM and j.state is State.CRITICAL for j in counted)
    parts = tuple(sorted((_part(j, weight) for j in judged), key=lambda p: (-p.lost, -p.importance, p.name)))
    if not weight:
        return Score(None, State.UNKNOWN, parts)
    value = 0.0 if down else sum(CONTRIBUTION[j.state] * j.importance for j in counted) / weight
    return Score(value, state_of(value), parts)


def state_of(value: float) -> State:
    """The state of a service with this score.

    >>> state_of(80.0), state_of(79.9), state_of(0.0)
    (<State.NORMAL: 'normal'>, <State.LOW: 'low'>, <State.CRITICAL: 'critical'>)
    """
    return next((state for least, state in LEAST if value >= least), State.CRITICAL)


def judge(values: Iterable[float], thresholds: Sequence[float | None], *, above: bool) -> State:
    """The state of the worst of some values. `thresholds` are where low, medium, high and critical begin, from there on
    upward (`above`) or downward; None where there is no such state.

    >>> judge([3.0, 7.0], [None, 5, None, 9], above=True)
    <State.MEDIUM: 'medium'>
    >>> judge([], [1, 2, 3, 4], above=True)
    <State.UNKNOWN: 'unknown'>
    """
    seen = [v for v in values if not math.isnan(v)]
    if not seen:
        return State.UNKNOWN
    worst = max(seen) if above else min(seen)
    reached = State.NORMAL
    for state, at in zip(list(State)[1:5], thresholds, strict=True):
        if at is not None and (worst >= at if above else worst <= at):
            reached = state
    return reached


def state_of_alerts(severities: Iterable[str]) -> State:
    """The state of the worst of the alerts that fire.

    >>> state_of_alerts(["warning", "error"]), state_of_alerts([])
    (<State.HIGH: 'high'>, <State.NORMAL: 'normal'>)
    """
    order = list(State)
    return max((_OF_SEVERITY[s] for s in severities), key=order.index, default=State.NORMAL)


def _part(j: Judged, weight: int) -> Part:
    counts = weight and j.importance > 0 and j.state in CONTRIBUTION
    lost = (100 - CONTRIBUTION[j.state]) * j.importance / weight if counts else 0.0
    return Part(j.name, j.state, j.importance, j.said, lost)
