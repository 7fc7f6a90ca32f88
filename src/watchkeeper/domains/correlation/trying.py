"""Tries a grouping rule that is not saved yet on the last alerts: which it would have taken, and as how many situations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.domains.automation.conditions import TOO_MUCH, evaluator
from watchkeeper.domains.correlation.resources import ABOUT
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.permissions import visible

LAST = 200  # alerts
SHOWN = 10


@dataclass
class Tried:
    """`matched` of the `looked_at` last alerts, in `groups` (values, how many), the largest first; for some the condition
    said neither true nor false, with the reasons and how often each."""

    looked_at: int = 0
    matched: int = 0
    groups: list[tuple[str, int]] = field(default_factory=list)
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
            taken.append((milliseconds(alert.starts_at), _values(group_by, facts)))
        elif said is not False:
            tried.reasons[str(said)] = tried.reasons.get(str(said), 0) + 1
            if said == TOO_MUCH:
                break  # a condition that takes so long is tried once
    tried.matched = len(taken)
    tried.groups = _groups(sorted(taken), 1000 * window_seconds, at_least)
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


def _groups(taken: list[tuple[int, str]], window_ms: int, count: int) -> list[tuple[str, int]]:
    first: dict[str, int] = {}
    sizes: Counter[tuple[str, int]] = Counter()
    for at, values in taken:
        if values not in first or at - first[values] > window_ms:
            first[values] = at
        sizes[values, first[values]] += 1
    return [(values, n) for (values, _), n in sizes.most_common() if n >= count]


def as_json(tried: Tried) -> dict[str, Any]:
    """For the API."""
    return {
        "looked_at": tried.looked_at,
        "matched": tried.matched,
        "situations": len(tried.groups),
        "groups": [{"same": values, "alerts": n} for values, n in tried.groups[:SHOWN]],
        "reasons": [{"reason": r, "alerts": n} for r, n in tried.reasons.items()],
    }
