"""Tries a grouping rule that is not saved yet on the last alerts: which it would have taken, and as how many situations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from watchkeeper.domains.automation.conditions import TOO_MUCH, evaluator
from watchkeeper.domains.correlation.resources import ABOUT
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.permissions import visible

LAST = 200  # alerts
SHOWN = 10
FIRST = 3  # alerts of a group that are named


class Group(NamedTuple):
    """What would be one situation: in what its alerts agree, and the alerts as they began."""

    same: str
    alerts: list[Alert]

    @property
    def first(self) -> list[Alert]:
        """Those that are named."""
        return self.alerts[:FIRST]


@dataclass
class Tried:
    """`matched` of the `looked_at` last alerts, in `groups`, the largest first; for some the condition
    said neither true nor false, with the reasons and how often each."""

    looked_at: int = 0
    matched: int = 0
    groups: list[Group] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def try_out(
    actor: Actor,
    condition: str,
    group_by: Sequence[str],
    window_seconds: int,
    at_least: int,
    last: int = LAST,
) -> Tried:
    """On the last alerts that the actor may read, whenever they began. Raises Invalid for a condition that is none."""
    evaluator.check(condition, ABOUT)
    alerts = visible(actor, "alerts").select_related("item").order_by("-starts_at", "-pk")[:last]
    tried, taken = Tried(), []
    for alert in alerts:
        tried.looked_at += 1
        facts = facts_of(alert)
        [said] = evaluator.ask([condition], {"record": facts})
        if said is True:
            taken.append((milliseconds(alert.starts_at), _values(group_by, facts), alert))
        elif said is not False:
            tried.reasons[str(said)] = tried.reasons.get(str(said), 0) + 1
            if said == TOO_MUCH:
                break  # a condition that takes so long is tried once
    tried.matched = len(taken)
    tried.groups = _groups(sorted(taken, key=lambda t: t[:2]), 1000 * window_seconds, at_least)
    return tried


def facts_of(alert: Alert) -> dict[str, Any]:
    """What analysis gives a condition, from the record."""
    item = alert.item
    return {
        "name": alert.name, "severity": alert.severity, "summary": alert.summary, "labels": alert.labels,
        "annotations": alert.annotations, "source": alert.source, "item": item.name if item else "",
        "item_kind": item.kind if item else "",
    }  # fmt: skip


def _values(group_by: Sequence[str], facts: dict[str, Any]) -> str:
    found = (str(facts["labels"].get(n, "" if n == "labels" else facts.get(n) or "")) for n in group_by)
    return ", ".join(f"{n} {v}" if v else f"no {n}" for n, v in zip(group_by, found, strict=True)) or "all"


def _groups(taken: list[tuple[int, str, Alert]], window_ms: int, count: int) -> list[Group]:
    first: dict[str, int] = {}
    found: dict[tuple[str, int], list[Alert]] = defaultdict(list)
    for at, values, alert in taken:
        if values not in first or at - first[values] > window_ms:
            first[values] = at
        found[values, first[values]].append(alert)
    groups = [Group(values, alerts) for (values, _), alerts in found.items() if len(alerts) >= count]
    return sorted(groups, key=lambda g: -len(g.alerts))


def as_json(tried: Tried) -> dict[str, Any]:
    """For the API."""
    return {
        "looked_at": tried.looked_at,
        "matched": tried.matched,
        "situations": len(tried.groups),
        "groups": [
            {"same": g.same, "alerts": len(g.alerts), "first": [a.pk for a in g.first]}
            for g in tried.groups[:SHOWN]
        ],
        "reasons": [{"reason": r, "alerts": n} for r, n in tried.reasons.items()],
    }
