"""What is known of alerts from before a start, as Prometheus knows it: the series ALERTS_FOR_STATE says since when each is
active, ALERTS which of them fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchkeeper.domains.alerting.raising import Output, Told
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql.values import NAME, Labels, key
from watchkeeper.telemetry.queries.series import Matcher
from watchkeeper.telemetry.rulefiles import ALERTS, FOR_STATE, STATE, Active, Alerting, Standing, State
from watchkeeper.telemetry.rulefiles.alerts import Recalled
from watchkeeper.telemetry.store import Store

TOLERANCE_MS = 3_600_000  # how long ago an alert may have been active


def recall(store: Store, output: Output, standing: Standing, now_ms: int, interval_ms: int) -> Recalled:
    """Since when alerts of a rule are active; time in which nothing was evaluated does not count towards their `for`. What
    fired counts as told, so that its end is told when it fires no more. Raises QueryError and TelemetryError."""
    rule = standing.rule
    assert isinstance(rule, Alerting), "recording rules have nothing to recall"
    out = {}
    for labels, time_ms, value in _before(store, rule, FOR_STATE, now_ms):
        own = {k: v for k, v in labels.items() if k != NAME}
        active_ms, lost_ms = round(value * 1000), max(0, now_ms - time_ms - interval_ms)
        fired = time_ms - active_ms >= rule.for_ms
        out[key(own)] = active_ms if fired else active_ms + lost_ms
        standing.seen[key(labels)] = labels
    for labels, _, _ in _before(store, rule, ALERTS, now_ms):
        standing.seen[key(labels)] = labels
        if labels.get(STATE) == State.FIRING:
            own = {k: v for k, v in labels.items() if k not in (NAME, STATE)}
            since = out.get(key(own), now_ms)
            alert = Active(own, {}, 0.0, since, State.FIRING, since + rule.for_ms)
            output.told.setdefault(key(own), Told(alert))
    return out


def _before(store: Store, rule: Alerting, name: str, now_ms: int) -> Iterator[tuple[Labels, int, float]]:
    matchers = (Matcher(NAME, name), Matcher("alertname", rule.name))
    for labels, time_ms, value in promql.newest(store, matchers, now_ms, TOLERANCE_MS):
        if _may_be(rule.labels, labels):
            yield labels, time_ms, value


def _may_be(given: Mapping[str, str], labels: Labels) -> bool:
    """Whether an alert is of a rule with these labels; another may have the same name and other labels."""
    return all(labels.get(k, "") == v for k, v in given.items() if "{{" not in v and k != "alertname")
