"""/api/v1/rules and /api/v1/alerts: how rule groups stand, in Prometheus' shape."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

from django.http import QueryDict
from django.urls import path

from watchkeeper.api.prometheus.admission import answers
from watchkeeper.domains.alerting import Watched, standing
from watchkeeper.telemetry.promql import BadQuery
from watchkeeper.telemetry.rulefiles import Active, Alerting, Standing

_NEVER = "0001-01-01T00:00:00Z"


@answers("GET")
def rules(given: QueryDict) -> dict[str, Any]:
    """The groups that are on, with how each rule stands. Narrowed by `type`, `rule_name[]`, `rule_group[]`, `file[]`."""
    kind = given.get("type", "")
    if kind not in ("", "alert", "record"):
        raise BadQuery(f'not supported value "{kind}": type is alert or record')
    found = [_group(w, given, kind) for w in standing.groups() if _asked_for(w, given)]
    narrowed = kind or given.getlist("rule_name[]")
    return {"groups": [g for g in found if g["rules"] or not narrowed]}


@answers("GET")
def alerts(_: QueryDict) -> dict[str, Any]:
    """Every alert that is pending or firing."""
    return {"alerts": [_alert(a) for w in standing.groups() for one in w.running.rules for a in _active(one)]}


def _asked_for(w: Watched, given: QueryDict) -> bool:
    groups, files = given.getlist("rule_group[]"), given.getlist("file[]")
    return (not groups or w.group.name in groups) and (not files or w.source in files)


def _group(w: Watched, given: QueryDict, kind: str) -> dict[str, Any]:
    names = given.getlist("rule_name[]")
    chosen = (
        one for one in list(w.running.rules)
        if (not names or one.rule.name in names)
        and (not kind or isinstance(one.rule, Alerting) is (kind == "alert"))
    )  # fmt: skip
    return {
        "name": w.group.name, "file": w.source,
        "rules": [_rule(one, given.get("exclude_alerts", "") == "true") for one in chosen],
        "interval": w.group.interval_ms / 1000, "limit": w.group.limit, "evaluationTime": w.seconds,
        "lastEvaluation": _time(w.at_ms),
    }  # fmt: skip


def _rule(one: Standing, without_alerts: bool) -> dict[str, Any]:
    rule = one.rule
    out: dict[str, Any] = {"name": rule.name, "query": rule.expr, "labels": rule.labels, "health": one.health,
                           "evaluationTime": one.seconds, "lastEvaluation": _time(one.at_ms)}  # fmt: skip
    if one.error:
        out["lastError"] = one.error
    if not isinstance(rule, Alerting):
        return {**out, "type": "recording"}
    return {
        **out, "type": "alerting", "state": one.state.value, "duration": rule.for_ms / 1000,
        "keepFiringFor": rule.keep_ms / 1000, "annotations": rule.annotations,
        "alerts": [] if without_alerts else [_alert(a) for a in _active(one)],
    }  # fmt: skip


def _active(one: Standing) -> Iterator[Active]:
    yield from one.states.alerts() if one.states is not None else ()


def _alert(a: Active) -> dict[str, Any]:
    return {"labels": a.labels, "annotations": a.annotations, "state": a.state.value, "activeAt": _time(a.active_ms),
            "value": _scientific(a.value)}  # fmt: skip


def _scientific(value: float) -> str:
    """As Go's strconv with 'e': the shortest digits and an exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return next(text for places in range(17) if float(text := f"{value:.{places}e}") == value)


def _time(ms: int) -> str:
    if not ms:
        return _NEVER
    return (
        dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


urlpatterns = [
    path("rules", rules, name="promql-rules"),
    path("alerts", alerts, name="promql-alerts"),
]
