"""Parts of OpenSLO's documents, read: what is measured, over which window, and what is an alert. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from watchkeeper.domains.objectives import burn_words
from watchkeeper.domains.objectives.periods import LETTERS
from watchkeeper.domains.objectives.putting import BurnRule

SLICES = (60, 300, 600, 900, 3600)
_DURATION = re.compile(r"(\d+)([mhdwMQY])")
_SEVERITIES = {"page": "critical", "critical": "critical", "high": "critical", "error": "error", "ticket": "warning",
               "medium": "warning", "warning": "warning", "low": "info", "info": "info"}  # fmt: skip
Document = Mapping[str, Any]
Named = Mapping[tuple[str, str], Document]


class BadDocument(ValueError):
    """No document of OpenSLO that can be followed; the message says where and what was expected."""


def indicator_of(spec: Document, objective: Document, named: Named, place: str) -> dict[str, Any]:
    """What is measured: `indicator` itself, or the SLI that `indicatorRef` names. Raises BadDocument."""
    found = spec.get("indicator")
    if ref := spec.get("indicatorRef"):
        found = named.get(("SLI", str(ref)))
        if found is None:
            raise BadDocument(f"{place}: there is no SLI {ref!r} in the text")
    inner = found.get("spec") if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        raise BadDocument(f"{place}: indicator or indicatorRef is missing")
    if isinstance(threshold := inner.get("thresholdMetric"), dict):
        return _threshold(threshold, objective, place)
    if isinstance(ratio := inner.get("ratioMetric"), dict):
        return _ratio(ratio, place)
    raise BadDocument(f"{place}: an indicator has a ratioMetric or a thresholdMetric")


def _threshold(metric: Document, objective: Document, place: str) -> dict[str, Any]:
    op, value = objective.get("op"), objective.get("value")
    if op not in ("lte", "lt", "gte", "gt"):
        raise BadDocument(f"{place}: op is {op!r}, none of lte, lt, gte, gt")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadDocument(f"{place}: value is {value!r}, not a number")
    query = _query(metric, f"{place}: thresholdMetric")
    return {"indicator": "threshold", "query": query, "compare": op, "limit": float(value)}


def _ratio(metric: Document, place: str) -> dict[str, Any]:
    if "raw" in metric:
        raw = metric.get("rawType", "success")
        if raw not in ("success", "failure"):
            raise BadDocument(f"{place}: rawType is {raw!r}, neither success nor failure")
        return {"indicator": f"{raw}_ratio", "query": _query(metric["raw"], f"{place}: raw")}
    which = next((n for n in ("good", "bad") if n in metric), "")
    if not which or "total" not in metric:
        raise BadDocument(f"{place}: a ratioMetric has good or bad, and total; or raw")
    counter = metric.get("counter", False)
    if not isinstance(counter, bool):
        raise BadDocument(f"{place}: counter is {counter!r}, neither true nor false")
    return {
        "indicator": f"{which}_total", "counter": counter, "query": _query(metric[which], f"{place}: {which}"),
        "total_query": _query(metric["total"], f"{place}: total"),
    }  # fmt: skip


def _query(metric: Any, place: str) -> str:
    source = metric.get("metricSource") if isinstance(metric, dict) else None
    spec = source.get("spec") if isinstance(source, dict) else None
    if not isinstance(spec, dict):
        raise BadDocument(f"{place}: metricSource.spec is missing")
    text = spec.get("query", spec.get("promql"))
    if not isinstance(text, str) or not text.strip():
        raise BadDocument(f"{place}: metricSource.spec has no query")
    return text.strip()


def window_of(given: Any, place: str) -> dict[str, Any]:
    """Over which window. Raises BadDocument."""
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], dict):
        raise BadDocument(f"{place}: timeWindow is a list of one window")
    one = given[0]
    match = _DURATION.fullmatch(str(one.get("duration")))
    if match is None or (match[2] == "m" and int(match[1]) % 60):
        raise BadDocument(f"{place}: duration is {one.get('duration')!r}, not such as 30d, 4w, 1M, 1Q or 1Y")
    count, unit = (int(match[1]) // 60, "hour") if match[2] == "m" else (int(match[1]), LETTERS[match[2]])
    out = {"window_count": count, "window_unit": unit, "aligned": False, "zone": "UTC", "anchor": None}
    calendar = one.get("calendar")
    if one.get("isRolling", calendar is None):
        return out
    if not isinstance(calendar, dict):
        raise BadDocument(f"{place}: a window that does not roll has a calendar")
    return {**out, "aligned": True, "zone": str(calendar.get("timeZone") or "UTC"),
            "anchor": _anchor(calendar.get("startTime"), place)}  # fmt: skip


def _anchor(given: Any, place: str) -> str:
    try:
        found = given if isinstance(given, dt.date) else dt.datetime.fromisoformat(str(given))
    except ValueError as error:
        raise BadDocument(f"{place}: startTime is {given!r}, not such as 2026-01-01 00:00:00") from error
    at = found if isinstance(found, dt.datetime) else dt.datetime.combine(found, dt.time())
    return f"{at.replace(tzinfo=None).isoformat()}Z"  # a wall time; see models.ServiceLevelObjective.window


def slice_of(given: Any, place: str) -> int:
    """The length of a slice of time, in seconds. Raises BadDocument."""
    try:
        found = burn_words.seconds(str(given))
    except burn_words.Unreadable as error:
        raise BadDocument(f"{place}: timeSliceWindow: {error}") from error
    if found not in SLICES:
        there = ", ".join(burn_words.duration(s) for s in SLICES)
        raise BadDocument(f"{place}: timeSliceWindow is {given}, none of {there}")
    return found


def alerts_of(given: Any, named: Named, place: str, odd: list[str]) -> dict[str, Any]:
    """Which burn rates are an alert; nothing where none are given. Raises BadDocument."""
    if given is None:
        return {}
    if not isinstance(given, list):
        raise BadDocument(f"{place}: alertPolicies is no list")
    rules: list[BurnRule] = []
    for policy in (_named(p, "AlertPolicy", "alertPolicyRef", named, place) for p in given):
        spec = policy.get("spec") if isinstance(policy.get("spec"), dict) else {}
        for one in spec.get("conditions") or ():
            condition = _named(one, "AlertCondition", "conditionRef", named, place)
            rules += _burns(condition, place, odd)
        if spec.get("notificationTargets"):
            odd.append(f"{place}: notificationTargets are left out; notification rules say who is told")
    return {"alerts": burn_words.write(tuple(rules))}


def _named(given: Any, kind: str, ref: str, named: Named, place: str) -> Document:
    name = given if isinstance(given, str) else given.get(ref) if isinstance(given, dict) else None
    if name is not None:
        found = named.get((kind, str(name)))
        if found is None:
            raise BadDocument(f"{place}: there is no {kind} {name!r} in the text")
        return found
    if not isinstance(given, dict):
        raise BadDocument(f"{place}: {given!r} is no {kind}")
    return given


def _burns(condition: Document, place: str, odd: list[str]) -> list[BurnRule]:
    spec = condition.get("spec")
    inner = spec.get("condition") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(inner, dict) or inner.get("kind") != "burnrate":
        raise BadDocument(f"{place}: a condition of an alert is a burnrate")
    rate, op = inner.get("threshold"), inner.get("op", "gt")
    if not isinstance(rate, int | float) or isinstance(rate, bool) or rate <= 0:
        raise BadDocument(f"{place}: the threshold of a burn rate is {rate!r}, not a number above 0")
    if op not in ("gt", "gte"):
        odd.append(f"{place}: op of a burn rate is {op}; it is followed as gt, which is what an alert means")
    try:
        long = burn_words.seconds(str(inner.get("lookbackWindow")))
        short = (
            burn_words.seconds(str(inner["alertAfter"])) if inner.get("alertAfter") else max(60, long // 12)
        )
        severity = _SEVERITIES.get(str(spec.get("severity", "warning")).lower(), "warning")
        return list(burn_words.read(burn_words.write((BurnRule(float(rate), long, short, severity),))))
    except burn_words.Unreadable as error:
        raise BadDocument(f"{place}: a burn rate: {error}") from error
