"""Turns changes of situations into outbox rows by the notification rules, in the transaction of the change.

A row's id is made of rule, situation and event: a replay of the journal finds it there and adds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.conf import settings
from django.utils import timezone

from watchkeeper.domains.inventory import names_of
from watchkeeper.domains.situations import rules
from watchkeeper.domains.situations.models import Alert, NotificationRule
from watchkeeper.domains.situations.rules import Rule
from watchkeeper.kernel import outbox
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.model.verdicts import Situation

KIND = "notification"
_MEMBERS = 500  # labels of so many of a situation's alerts are looked at
Pair = tuple[Situation | None, Situation]


def rules_in_force() -> list[Rule]:
    """Every enabled rule."""
    return [
        Rule(
            r.pk,
            r.min_severity,
            {str(k): str(v) for k, v in r.labels.items()},
            r.words,
            tuple(r.events) or rules.EVENTS,
            milliseconds(r.created_at),
        )
        for r in NotificationRule.objects.filter(enabled=True).defer("secret").order_by("pk")
    ]


def tell(pairs: Sequence[Pair], now_ms: int) -> None:
    """Add the rows for these changes (before, after); a rule that was told before is not told again."""
    in_force = rules_in_force() if pairs else []
    if not in_force:
        return
    sent = outbox.ids_about(new.id for _, new in pairs)
    relevant = [p for p in pairs if any(p[1].opened_ms >= r.since_ms for r in in_force)]
    labels, audible = _members([new for _, new in relevant])
    rows = []
    for old, new in relevant:
        told = {i for i in sent.get(new.id, ()) if not i.endswith(":resolved")}
        for rule in in_force:
            prefix = f"notify:{rule.id}:{new.id}:"
            was_sent = any(i.startswith(prefix) for i in told)
            matching = new.id in audible and rules.matches(rule, new, labels[new.id])
            event = rules.event_of(rule, old, new, matching, was_sent)
            if event:
                rows.append((prefix + event, rule.id, event.split("-")[0], new))
    if rows:
        _add(rows, now_ms)


def _members(situations: Iterable[Situation]) -> tuple[dict[str, list[dict[str, str]]], set[str]]:
    """Labels of each situation's alerts, and the situations of which not every alert is suppressed."""
    labels: dict[str, list[dict[str, str]]] = defaultdict(list)
    audible: set[str] = set()
    wanted = [(m.fingerprint, s.id) for s in situations for m in s.members[:_MEMBERS]]
    for start in range(0, len(wanted), 500):
        part = dict(wanted[start : start + 500])
        found = Alert.objects.filter(pk__in=part).values_list("pk", "labels", "suppressed_by")
        for pk, found_labels, suppressed_by in found:
            labels[part[pk]].append(found_labels)
            if not suppressed_by:
                audible.add(part[pk])
    return labels, audible


def _add(rows: Iterable[tuple[str, int, str, Situation]], now_ms: int) -> None:
    rows = list(rows)
    names = names_of(c.item for _, _, _, s in rows for c in s.causes[:5])
    outbox.add(
        outbox.Effect(
            id=row_id,
            kind=KIND,
            subject=situation.id,
            payload={"rule": rule, "message": message(event, situation, names, now_ms)},
        )
        for row_id, rule, event, situation in rows
    )


def announce(cause: str, title: str, because: Sequence[str], path: str) -> None:
    """Tell something critical that is no situation to every enabled rule that wants all there is: one without labels
    and words. Once for each cause, in the caller's transaction."""
    now = _text(milliseconds(timezone.now()))
    data = {"id": cause, "url": f"{settings.PUBLIC_URL}{path}", "state": "open", "severity": "critical",
            "title": title, "opened_at": now, "resolved_at": None, "alert_count": 0, "because": list(because),
            "causes": []}  # fmt: skip
    told = {"type": "situation.opened", "timestamp": now, "data": data}
    outbox.add(
        outbox.Effect(f"notify:{rule.id}:{cause}", KIND, cause, {"rule": rule.id, "message": told})
        for rule in rules_in_force()
        if not rule.labels and not rule.words
    )


def message(event: str, s: Situation, names: dict[str, str], now_ms: int) -> dict[str, Any]:
    """What is sent: the Standard Webhooks payload (type, timestamp, data)."""
    happened = {"opened": s.opened_ms, "resolved": s.resolved_ms}.get(event, s.updated_ms) or now_ms
    return {
        "type": f"situation.{event}",
        "timestamp": _text(happened),
        "data": {
            "id": s.id,
            "url": f"{settings.PUBLIC_URL}/situations/{s.id}/",
            "state": s.state.value,
            "severity": s.severity.value,
            "title": s.title,
            "opened_at": _text(s.opened_ms),
            "resolved_at": _text(s.resolved_ms) if s.resolved_ms else None,
            "alert_count": len(s.members),
            "because": [r.text for r in s.because],
            "causes": [
                {
                    "item": {"id": c.item, "name": names.get(c.item, c.item)},
                    "score": c.score,
                    "because": [r.text for r in c.because],
                }
                for c in s.causes[:5]
            ],
        },
    }


def _text(ms: int) -> str:
    return str(msgspec.to_builtins(moment(max(1, ms))))
