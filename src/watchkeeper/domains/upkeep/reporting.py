"""How often things fail, how long that takes to mend, and how much of the work was planned.

A failure of an item is a time in which a situation of severity error or worse had an alert of it; situations that overlap
are one failure. The time to mend is from the situation's beginning to its end.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q

from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Membership
from watchkeeper.domains.upkeep import rules
from watchkeeper.domains.upkeep.models import WorkOrder
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.model.verdicts import Severity

MOST = 200  # items that are listed


@dataclass(frozen=True, slots=True)
class Line:
    """An item, or all items of a kind that have failed."""

    name: str
    kind: str
    item: str
    found: rules.Reliability


@dataclass(frozen=True, slots=True)
class Report:
    """Over so many days: worst first, and the work that was done or is open."""

    days: int
    items: list[Line]
    kinds: list[Line]
    work: dict[str, int]
    planned: float | None


def report(actor: Actor, days: int, now: dt.datetime) -> Report:
    """Of what this actor may read."""
    begin, end = (now - dt.timedelta(days=days)).timestamp(), now.timestamp()
    stretches = {key: rules.joined(found) for key, found in _stretches(now - dt.timedelta(days=days)).items()}
    readable = visible(actor, "items", Item.objects.all())
    items = {i.pk: i for i in readable.filter(pk__in=list(stretches))}
    lines = [
        Line(i.name, i.kind, i.pk, rules.reliability(stretches[key], begin, end)) for key, i in items.items()
    ]
    by_kind: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for key, item in items.items():
        by_kind[item.kind] += stretches[key]
    kinds = [
        Line(kind, kind, "", rules.reliability(found, begin, end, readable.filter(kind=kind, stale_since=None).count() or 1))
        for kind, found in by_kind.items()
    ]  # fmt: skip
    work = _work(actor, now - dt.timedelta(days=days))
    planned = work[WorkOrder.Kind.PREVENTIVE] + work[WorkOrder.Kind.PROACTIVE]
    share = rules.planned_share(planned, work[WorkOrder.Kind.REACTIVE])
    return Report(days, _worst(lines)[:MOST], _worst(kinds), work, share)


def _worst(lines: list[Line]) -> list[Line]:
    return sorted(
        (x for x in lines if x.found.failures), key=lambda x: (-x.found.failures, -x.found.down_s, x.name)
    )


def _stretches(since: dt.datetime) -> dict[str, list[tuple[float, float | None]]]:
    severe = [s for s in Severity if s.rank >= Severity.ERROR.rank]
    rows = (
        Membership.objects.filter(situation__severity__in=severe, situation__merged_into="")
        .filter(Q(situation__resolved_at=None) | Q(situation__resolved_at__gt=since))
        .exclude(alert__item=None)
        .values_list("alert__item_id", "situation__opened_at", "situation__resolved_at")
        .distinct()
    )
    out: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for item, opened, resolved in rows:
        out[item].append((opened.timestamp(), resolved.timestamp() if resolved else None))
    return out


def _work(actor: Actor, since: dt.datetime) -> dict[str, int]:
    found = visible(actor, "work-orders").filter(Q(done_at__gte=since) | Q(status__in=rules.LIVING))
    return {kind.value: found.filter(kind=kind).count() for kind in WorkOrder.Kind}
