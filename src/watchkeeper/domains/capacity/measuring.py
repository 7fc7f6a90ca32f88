"""What was measured of the things that a rule is about: hours of series, from the rollups, with the limit of now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.domains.capacity.models import CapacityRule
from watchkeeper.model.matching import read_matchers
from watchkeeper.telemetry.queries.hours import hours
from watchkeeper.telemetry.queries.series import Matcher, Series, Wanted, described
from watchkeeper.telemetry.store import Store

DAYS = 60  # of history
MOST = 5_000  # series of a rule
TOGETHER = 200  # series that are read at once
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
Hours = Mapping[int, tuple[list[int], list[float]]]
_BYTES = re.compile(r"_bytes(_|$)|\.bytes$")
Measure = CapacityRule.Measure


@dataclass(frozen=True)
class Measured:
    """Hours of one series: `used` up to `last_ms`, when the last one begins, and the limit then."""

    series: int
    labels: Mapping[str, str]
    used: NDArray[np.float64]
    limit: float
    unit: str
    last_ms: int


def measured(store: Store, rule: CapacityRule, now_ms: int) -> Iterator[Measured]:
    """All things of the rule that were measured within a day. Raises TelemetryError."""
    begin = (now_ms - DAYS * DAY_MS) // HOUR_MS * HOUR_MS
    found = [
        s
        for s in described(store, _wanted(rule, rule.metric), limit=MOST)
        if s.last_seen_ms >= now_ms - DAY_MS
    ]
    limits = _limits(store, rule, now_ms) if rule.limit_metric else {}
    drop = _fixed(rule)
    for some in _together(found):
        pairs = {s.id: limits.get(_common(s.labels, drop)) for s in some}
        values = hours(store, [*pairs, *(p.id for p in pairs.values() if p)], begin, now_ms)
        for s in some:
            if s.id in values and (one := _of(rule, s, pairs[s.id], values)):
                yield one


def _of(rule: CapacityRule, s: Series, pair: Series | None, values: Hours) -> Measured | None:
    times, own = _row(*values[s.id])
    limit = (
        rule.limit_value if rule.limit_value is not None else 1.0 if rule.measure == Measure.SHARE else None
    )
    used = own
    if pair is not None:
        if pair.id not in values:
            return None
        there, most = _row(*values[pair.id])
        limit = float(most[-1])
        if rule.measure == Measure.FREE:
            used = np.interp(times, there, most) - own
    if limit is None or not np.isfinite(limit) or (limit <= 0 and rule.measure != Measure.UNTIL):
        return None
    unit = "1" if rule.measure == Measure.SHARE else unit_of(s)
    return Measured(s.id, s.labels, _hourly(times, used), limit, unit, int(times[-1]))


def until(store: Store, rule: CapacityRule, now_ms: int) -> Iterator[tuple[Series, float]]:
    """Series that tell when something ends, and when: Unix seconds. Raises TelemetryError."""
    found = [
        s
        for s in described(store, _wanted(rule, rule.metric), limit=MOST)
        if s.last_seen_ms >= now_ms - DAY_MS
    ]
    for some in _together(found):
        values = hours(store, [s.id for s in some], now_ms - 2 * DAY_MS, now_ms)
        for s in some:
            if s.id in values:
                yield s, values[s.id][1][-1]


def _together(found: list[Series]) -> Iterator[list[Series]]:
    return (found[i : i + TOGETHER] for i in range(0, len(found), TOGETHER))


def unit_of(s: Series) -> str:
    """Of its values; from its name where the sender has not said it."""
    return "By" if s.unit in ("bytes", "byte") or (not s.unit and _BYTES.search(s.name)) else s.unit


def _limits(store: Store, rule: CapacityRule, now_ms: int) -> dict[frozenset[tuple[str, str]], Series]:
    """The series of limits, by the labels that they share with what is measured."""
    found = described(store, Wanted(name=rule.limit_metric), limit=MOST)
    return {_common(s.labels, _fixed(rule)): s for s in found if s.last_seen_ms >= now_ms - DAY_MS}


def _fixed(rule: CapacityRule) -> frozenset[str]:
    """Labels that the rule gives a value: the limit need not have them."""
    return frozenset(m.name for m in read_matchers(rule.labels) if m.is_equal and not m.is_regex)


def _common(labels: Mapping[str, str], drop: Iterable[str]) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in labels.items() if k not in drop and v)


def _wanted(rule: CapacityRule, metric: str) -> Wanted:
    signs = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
    found = (Matcher(m.name, m.value, signs[m.is_regex, m.is_equal]) for m in read_matchers(rule.labels))
    return Wanted(name=metric, matchers=tuple(found))


def _row(times: list[int], values: list[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array(times, float), np.array(values, float)


def _hourly(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """An hour each, NaN where nothing was measured."""
    place = np.rint((times - times[0]) / HOUR_MS).astype(int)
    out = np.full(int(place[-1]) + 1, np.nan)
    out[place] = values
    return out
