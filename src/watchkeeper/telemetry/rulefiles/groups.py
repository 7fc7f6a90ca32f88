"""A group of rules over time: evaluated one after another, so that what one records is there for the next. Results are
samples, and marks that a series has ended (rules/manager.go). Time and the question to the store are passed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import STALE
from watchkeeper.telemetry.promql import Scalar, Value, Vector
from watchkeeper.telemetry.promql.values import NAME, Key, Labels, key
from watchkeeper.telemetry.rulefiles.alerts import AlertStates, CannotEvaluate, Recalled, Row, State
from watchkeeper.telemetry.rulefiles.reading import Alerting, Group, Recording, Rule
from watchkeeper.telemetry.rulefiles.templates import BadTemplate, Sample, Surroundings

#: an expression and a time in Unix ms → what it comes to; raises WatchkeeperError
Ask = Callable[[str, int], Value]
#: what is known of a rule's alerts from before it was read; asked once, raises WatchkeeperError
Recall = Callable[["Standing", int], Recalled]
#: takes a sample before the next rule is evaluated: labels, time in Unix ms, value
Keep = Callable[[Labels, int, float], None]
ENDED = float(np.uint64(STALE).view(np.float64))


@dataclass
class Standing:
    """How a rule stands. `health` is Prometheus' word: unknown, ok or err; `seconds` and `at_ms` are of the last
    evaluation, `series` how many it came to, and `value` the only one, where it is one."""

    rule: Rule
    states: AlertStates | None = None
    health: str = "unknown"
    error: str = ""
    at_ms: int = 0
    seconds: float = 0.0
    series: int = 0
    value: float | None = None
    seen: dict[Key, Labels] = field(default_factory=dict, repr=False)
    recalled: bool = False

    @property
    def state(self) -> State:
        """Of an alerting rule."""
        return self.states.state if self.states else State.INACTIVE


class Running:
    """A group with what its rules remember. `ask` answers expressions, `keep` hears of every sample at once."""

    def __init__(
        self, group: Group, ask: Ask, keep: Keep, labels: Labels | None = None, url: str = ""
    ) -> None:
        self.group = group
        self.rules = [Standing(r, AlertStates(r) if isinstance(r, Alerting) else None) for r in group.rules]
        self._ask, self._keep, self._labels, self._url = ask, keep, labels or {}, url

    def evaluate(self, now_ms: int, recall: Recall | None = None) -> None:
        """All rules at this time. `recall` is asked once about each alerting rule. What a rule cannot do is in its
        standing; the others go on."""
        for one in self.rules:
            began = time.monotonic()
            try:
                rows = self._rows(one, now_ms, recall)
            except WatchkeeperError as error:
                one.health, one.error = "err", error.detail
            else:
                one.health, one.error = "ok", ""
                self._put(one, rows, now_ms)
            one.at_ms, one.seconds = now_ms, time.monotonic() - began

    def end(self, now_ms: int) -> None:
        """The group is no more: its series end."""
        for one in self.rules:
            self._put(one, [], now_ms)

    def _rows(self, one: Standing, now_ms: int, recall: Recall | None) -> list[Row]:
        found = rows_of(self._ask(one.rule.expr, now_ms))
        one.series, one.value = len(found), found[0][1] if len(found) == 1 else None
        if one.states is None:
            assert isinstance(one.rule, Recording), "alerting rules have states"
            return _recorded(one.rule, found, self.group.limit)
        recalled = recall(one, now_ms) if recall is not None and not one.recalled else None
        one.recalled = True
        one.states.take(found, now_ms, self._within(now_ms), self.group.limit, recalled)
        return list(one.states.rows())

    def _within(self, now_ms: int) -> Surroundings:
        def query(text: str) -> list[Sample]:
            try:
                return [Sample(labels, value) for labels, value in rows_of(self._ask(text, now_ms))]
            except WatchkeeperError as error:
                raise BadTemplate(f"query: {error.detail}") from error

        return Surroundings(query, self._labels, self._url)

    def _put(self, one: Standing, rows: Sequence[Row], now_ms: int) -> None:
        seen = {key(labels): labels for labels, _ in rows}
        for labels, value in rows:
            self._keep(labels, now_ms, value)
        for k, labels in one.seen.items():
            if k not in seen:
                self._keep(labels, now_ms, ENDED)
        one.seen = seen


def rows_of(value: Value) -> list[Row]:
    """An answer as label sets and values; a number has no labels. Raises CannotEvaluate."""
    match value:
        case Scalar(values):
            return [({}, float(values[0]))]
        case Vector(labels, values):
            return list(zip(labels, values[:, 0].tolist(), strict=True))
    raise CannotEvaluate("rule result is not a vector or scalar")


def _recorded(rule: Recording, found: Sequence[Row], limit: int) -> list[Row]:
    rows: list[Row] = []
    for labels, value in found:
        own = {**labels, **rule.labels, NAME: rule.name}
        rows.append(({k: v for k, v in own.items() if v}, value))
    if len({key(labels) for labels, _ in rows}) < len(rows):
        raise CannotEvaluate("vector contains metrics with the same labelset after applying rule labels")
    if 0 < limit < len(rows):
        raise CannotEvaluate(f"exceeded limit of {limit} with {len(rows)} series")
    return rows
