"""What the page of a rule group shows: how each rule stands, what of it is pending or fires, and what it came to last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from watchkeeper.analysis.stages.detect_words import duration
from watchkeeper.domains.alerting import standing
from watchkeeper.domains.alerting.models import RuleGroup
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import moment
from watchkeeper.telemetry.rulefiles import Active, Alerting, Standing, State

MOST = 20  # alerts of one rule


class ActiveLine(NamedTuple):
    """An alert that is pending or firing."""

    labels: str
    text: str
    state: str
    since: Any
    value: str


class Line(NamedTuple):
    """A rule. `state` is firing, pending, ok, failing or waiting (not evaluated yet)."""

    name: str
    sort: str
    expr: str
    after: str
    state: str
    error: str
    said: str  # what it came to
    milliseconds: str
    alerts: list[ActiveLine]
    more: int


def of_group(record: RuleGroup, actor: Actor) -> dict[str, Any]:
    """Lines of the rules, and when they were last evaluated."""
    del actor  # whoever may read the group may read what it comes to, as with a query
    watched = standing.group(str(record.pk))
    if watched is None:
        return {"lines": [], "watched": None}
    return {
        "lines": [_line(one) for one in list(watched.running.rules)], "watched": watched,
        "evaluated": moment(watched.at_ms) if watched.at_ms else None, "took": _milliseconds(watched.seconds),
        "every": f"{watched.group.interval_ms / 1000:g} s",
    }  # fmt: skip


def _line(one: Standing) -> Line:
    active = sorted(one.states.alerts(), key=lambda a: (a.state, a.active_ms)) if one.states else []
    return Line(
        one.rule.name,
        "alert" if isinstance(one.rule, Alerting) else "recorded",
        one.rule.expr.strip(),
        duration(one.rule.for_ms) if isinstance(one.rule, Alerting) and one.rule.for_ms else "",
        _state(one),
        one.error,
        _said(one),
        _milliseconds(one.seconds),
        [_active(a) for a in active[:MOST]],
        max(0, len(active) - MOST),
    )


def _state(one: Standing) -> str:
    if one.health == "err":
        return "failing"
    if one.health == "unknown":
        return "waiting"
    return one.state.value if one.state is not State.INACTIVE else "ok"


def _said(one: Standing) -> str:
    if one.health != "ok":
        return ""
    if one.value is not None:
        return f"{one.value:.6g}"
    return f"{one.series:,} series" if one.series else "nothing"


def _active(a: Active) -> ActiveLine:
    text = next((a.annotations[n] for n in ("summary", "description", "message") if a.annotations.get(n)), "")
    return ActiveLine(_pairs(a.labels), text, a.state.value, moment(a.active_ms), f"{a.value:.6g}")


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "alertname")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 10 else f"{seconds:,.0f} s"
