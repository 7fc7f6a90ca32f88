"""Findings of threshold rules: sentences with the numbers, the rule, and which level held and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from watchkeeper.analysis.detectors.thresholds import Turn
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.analysis.stages.detect_findings import place
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.thresholds import Comparison, Limits, Rule
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, Finding

SOURCE = "threshold"
_PLACE = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_.]*)\}")
_IS = {
    Comparison.ABOVE: "above", Comparison.AT_LEAST: "not below", Comparison.BELOW: "below",
    Comparison.AT_MOST: "not above", Comparison.EQUAL: "just", Comparison.OTHER: "other than",
}  # fmt: skip


def beyond(rule: Rule, limits: Limits, turn: Turn, info: SeriesInfo, topology: Topology) -> Finding:
    """A value that has been beyond its level for long enough."""
    unit = words.unit_of(info)
    value, level = (words.quantity(x, unit, rule.per_second) for x in (turn.value, limits.level))
    what, where = words.metric(info), place(info.item, info.labels, topology)
    lasted = f" for {words.duration(turn.time_ms - turn.since_ms)}" if limits.for_ms else ""
    text = f"{what} of {where} is {value}, {_IS[rule.comparison]} {level}{lasted}: rule “{rule.name}”"
    if limits.override:
        own = words.quantity(rule.level, unit, rule.per_second)
        text += f" (exception for {limits.override}"
        text += f": {level} instead of {own})" if limits.level != rule.level else ")"
    data = {
        "rule": rule.id, "series": f"{info.id:016x}", "value": turn.value, "level": limits.level,
        "recovery": limits.recovery, "for_ms": limits.for_ms, "override": limits.override, "since_ms": turn.since_ms,
    }  # fmt: skip
    shown = {**info.labels, "value": value, "level": level, "item": where, "rule": rule.name}
    return _finding(rule, key(rule.id, f"{info.id:016x}"), f"{text}.", data, shown, item=info.item,
                    time_ms=turn.since_ms, labels={**info.labels, "metric": info.name})  # fmt: skip


def absent(rule: Rule, group: str, item: str, labels: Mapping[str, str], last_ms: int, for_ms: int, now_ms: int,
           topology: Topology) -> Finding:  # fmt: skip
    """Nothing has come of what a rule waits for; `group` says of whom, "" when it has never come from anybody."""
    since = words.duration(now_ms - last_ms)
    where = place(item, labels, topology) if group or item else ""
    text = f"No {rule.metric} has come{f' from {where}' if where else ''} for {since}: rule “{rule.name}”."
    data = {"rule": rule.id, "group": group, "for_ms": for_ms, "since_ms": last_ms}
    shown = {**labels, "value": since, "level": words.duration(for_ms), "item": where, "rule": rule.name}
    return _finding(rule, key(rule.id, group or "any"), text, data, shown, item=item, time_ms=last_ms + for_ms,
                    labels={**labels, "metric": rule.metric})  # fmt: skip


def over(found: Finding, why: str, time_ms: int) -> Finding:
    """The end of what was found, and why."""
    text = f"{found.name}: {why}"
    because = (Reason(ReasonKind.RULE, text, 1.0, found.because[0].data),)
    return replace(found, active=False, summary=text, because=because, time_ms=max(time_ms, found.time_ms))


def recovered(found: Finding, rule: Rule, turn: Turn, info: SeriesInfo) -> Finding:
    """A value that is back within its level of recovery."""
    value = words.quantity(turn.value, words.unit_of(info), rule.per_second)
    return over(found, f"it is {value} again.", turn.time_ms)


def found_of(alert: Alert) -> Finding:
    """What was told, from the living alert that it became."""
    data = alert.because[0].data
    return Finding(
        key=key(data["rule"], data.get("series") or data["group"] or "any"), kind=SOURCE, item=alert.item,
        name=alert.name, severity=alert.severity, time_ms=alert.starts_ms, score=alert.score, summary=alert.summary,
        labels=alert.labels, annotations=alert.annotations, because=alert.because,
    )  # fmt: skip


def key(rule: str, about: str) -> str:
    """What deduplication knows a finding by."""
    return f"{SOURCE}|{rule}|{about}"


def rule_of(key: str) -> str:
    """The rule that such a key names."""
    return key.split("|", 2)[1]


def has_series(found: Finding) -> bool:
    """Whether it is about one series, and not about what does not come."""
    return "series" in found.because[0].data


def _finding(
    rule: Rule, key: str, text: str, data: dict[str, Any], shown: Mapping[str, str], **rest: Any
) -> Finding:
    said = _PLACE.sub(lambda m: shown.get(m[1], m[0]), rule.text) if rule.text else text
    return Finding(
        key=key, kind=SOURCE, name=rule.name, severity=rule.severity, score=1.0, summary=said,
        annotations={"runbook_url": rule.runbook} if rule.runbook else {},
        because=(Reason(ReasonKind.RULE, text, 1.0, data),), **rest,
    )  # fmt: skip
