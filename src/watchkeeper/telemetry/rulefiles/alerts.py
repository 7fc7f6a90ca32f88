"""An alerting rule over time, as Prometheus' AlertingRule (rules/alerting.go): series of its expression are pending, then
firing, then over. Pure: results and times are passed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.promql.values import NAME, Key, Labels, key
from watchkeeper.telemetry.rulefiles.reading import Alerting
from watchkeeper.telemetry.rulefiles.templates import About, BadTemplate, Surroundings, Template

ALERT_NAME, STATE = "alertname", "alertstate"
ALERTS, FOR_STATE = "ALERTS", "ALERTS_FOR_STATE"
KEPT_MS = 15 * 60_000  # how long an alert that is over is still known
Row = tuple[Labels, float]


class CannotEvaluate(WatchkeeperError):
    """A rule has no result: too many series, or two that are one."""

    status = 422
    reason = "rule_failed"


class State(StrEnum):
    """Where an alert is."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True)
class Active:
    """An alert of a rule; times are Unix ms, 0 where there is none."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float
    active_ms: int
    state: State = State.PENDING
    fired_ms: int = 0
    resolved_ms: int = 0
    kept_since_ms: int = 0


#: since when (Unix ms) alerts are active of which a rule itself does not know, because it was read anew
Recalled = Mapping[Key, int]


class AlertStates:
    """The alerts of one rule."""

    def __init__(self, rule: Alerting) -> None:
        self.rule = rule
        self._active: dict[Key, Active] = {}

    def take(
        self,
        found: Sequence[Row],
        now_ms: int,
        within: Surroundings,
        limit: int = 0,
        recalled: Recalled | None = None,
    ) -> None:
        """Go on with what the expression has come to. `recalled` is of alerts that are new. Raises
        CannotEvaluate."""
        now = self._made(found, now_ms, within)
        for k, made in now.items():
            known = self._active.get(k)
            if known is not None and known.state is not State.INACTIVE:
                active_ms = min(known.active_ms, now_ms)  # the clock may have been set back
                self._active[k] = replace(
                    known, value=made.value, annotations=made.annotations, active_ms=active_ms
                )
                continue
            since = (recalled or {}).get(k, made.active_ms)
            self._active[k] = replace(made, active_ms=min(since, now_ms))
        for k, alert in list(self._active.items()):
            later = self._present(alert, now_ms) if k in now else self._absent(alert, now_ms)
            if later is None:
                del self._active[k]
            else:
                self._active[k] = later
        count = sum(a.state is not State.INACTIVE for a in self._active.values())
        if 0 < limit < count:
            self._active.clear()
            raise CannotEvaluate(f"exceeded limit of {limit} with {count} alerts")

    def go_on_from(self, other: AlertStates) -> None:
        """Take over the alerts of the rule that this one replaces."""
        self._active = dict(other._active)

    def alerts(self) -> list[Active]:
        """Those that are pending or firing."""
        return [a for a in self._active.values() if a.state is not State.INACTIVE]

    def over(self) -> list[Active]:
        """Those that have fired and are over, for some time after."""
        return [a for a in self._active.values() if a.state is State.INACTIVE]

    def rows(self) -> Iterator[Row]:
        """The series ALERTS and ALERTS_FOR_STATE of those that are pending or firing."""
        for a in self.alerts():
            yield {**a.labels, NAME: ALERTS, STATE: a.state.value}, 1.0
            yield {**a.labels, NAME: FOR_STATE}, float(a.active_ms // 1000)

    @property
    def state(self) -> State:
        """The worst of them."""
        states = {a.state for a in self._active.values()}
        return next((s for s in (State.FIRING, State.PENDING) if s in states), State.INACTIVE)

    def _made(self, found: Sequence[Row], now_ms: int, within: Surroundings) -> dict[Key, Active]:
        out: dict[Key, Active] = {}
        for labels, value in found:
            about = About(labels, value)
            named = {k: v for k, v in labels.items() if k != NAME}
            named |= _filled(self.rule.labels, about, within)
            named[ALERT_NAME] = self.rule.name
            own = {k: v for k, v in named.items() if v}
            if key(own) in out:
                raise CannotEvaluate(
                    "vector contains metrics with the same labelset after applying alert labels"
                )
            out[key(own)] = Active(own, _filled(self.rule.annotations, about, within), value, now_ms)
        return out

    def _present(self, a: Active, now_ms: int) -> Active:
        a = replace(a, kept_since_ms=0)
        if a.state is State.PENDING and now_ms - a.active_ms >= self.rule.for_ms:
            return replace(a, state=State.FIRING, fired_ms=now_ms)
        return a

    def _absent(self, a: Active, now_ms: int) -> Active | None:
        if a.state is State.FIRING and self.rule.keep_ms:
            a = replace(a, kept_since_ms=min(a.kept_since_ms or now_ms, now_ms))
            if now_ms - a.kept_since_ms < self.rule.keep_ms:
                return a
        if a.state is State.PENDING or (a.resolved_ms and now_ms - a.resolved_ms > KEPT_MS):
            return None
        return a if a.state is State.INACTIVE else replace(a, state=State.INACTIVE, resolved_ms=now_ms)


def _filled(templates: Mapping[str, str], about: About, within: Surroundings) -> dict[str, str]:
    out = {}
    for name, text in templates.items():
        try:
            out[name] = Template.of(text).fill(about, within)
        except BadTemplate as error:  # as Prometheus does, so that an alert is not lost for its text
            out[name] = f"<error expanding template: {error}>"
    return out
