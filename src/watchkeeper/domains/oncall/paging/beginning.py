"""Which situations are escalated and by which policy."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from watchkeeper.domains.desk.rules import says_all
from watchkeeper.domains.inventory.impact import NEEDS, reach
from watchkeeper.domains.oncall.paging import rules
from watchkeeper.domains.oncall.paging.models import Escalation, EscalationRule
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.verdicts import Severity

_HOPS, _MOST = 12, 5000  # of what a service needs
_FRESH = 60.0  # seconds for which that is not asked again


def rules_in_force() -> list[EscalationRule]:
    """Every rule that is on, in their order."""
    found = EscalationRule.objects.filter(enabled=True).select_related("policy", "calendar")
    return list(found.prefetch_related("items").order_by("position", "pk"))


def matching(
    in_force: Sequence[EscalationRule], record: dict[str, Any], now: dt.datetime
) -> EscalationRule | None:
    """The first rule that fits a situation with these columns."""
    about: set[str] | None = None
    severity, at = Severity(record["severity"]), milliseconds(now)
    for rule in in_force:
        open_at = rule.calendar.working_time.open_at if rule.calendar else None
        if severity.rank < Severity(rule.min_severity).rank or not says_all(rule.words, record["title"]):
            continue
        if not rules.in_hours(rule.hours, open_at, at):
            continue
        if wanted := [item.pk for item in rule.items.all()]:
            about = _items(record) if about is None else about
            if about.isdisjoint(_with_needs(tuple(wanted), int(time.monotonic() / _FRESH))):
                continue
        return rule
    return None


def _items(record: dict[str, Any]) -> set[str]:
    """What a situation's causes and alerts are about."""
    named = {str(c["item"]) for c in record.get("causes") or () if c.get("item")}
    alerts = Alert.objects.filter(situation=record["id"], item__isnull=False)
    return named | set(alerts.values_list("item_id", flat=True))


@lru_cache(maxsize=256)
def _with_needs(items: tuple[str, ...], _minute: int) -> frozenset[str]:
    """These items and all that they need, as the graph was within the last minute."""
    needed = (r.id for item in items for r in reach(item, NEEDS, _HOPS, most=_MOST).items)
    return frozenset((*items, *needed))


def begun(rule: EscalationRule, cause: str, record: dict[str, Any], now: dt.datetime) -> Escalation:
    """The escalation of a situation by this rule, not saved."""
    severity = Severity(record["severity"])
    return Escalation(
        cause=cause[:200], kind="situations", record=record["id"], title=record["title"][:500], severity=severity,
        urgency=rules.urgency_of(rule.urgency, severity), policy=rule.policy, note=f"By the rule {rule.name}."[:300],
        began_at=now, due_at=now + dt.timedelta(minutes=rule.delay),
    )  # fmt: skip
