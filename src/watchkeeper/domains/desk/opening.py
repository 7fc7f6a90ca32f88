"""Incidents from situations: one for each, opened by rule or by hand."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from watchkeeper.domains.desk import promising, rules
from watchkeeper.domains.desk.models import IncidentRule, Queue, Ticket
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.model.verdicts import Severity

_ITEMS = 100  # of a situation that are named by its incident


def incident_of(situation: str) -> Ticket | None:
    """The incident that was opened from this situation."""
    return Ticket.objects.filter(situation_id=situation, source=Ticket.Source.SITUATION).first()


def open_incident(actor: Actor, situation: Situation, queue: Queue | None = None, urgency: int = 2) -> Ticket:
    """The incident of a situation; opened, with its items and reasons, when there is none."""
    there = incident_of(situation.pk)
    if there is not None:
        return there
    given = proposed(situation)
    items = given.pop("items")
    ticket = Ticket(
        **given, situation=situation, queue=queue, source=Ticket.Source.SITUATION, urgency=urgency
    )
    try:
        with transaction.atomic():
            promising.begin(ticket)
            ticket.items.set(items)
            audit.record(actor, "ticket.open-incident", ticket, after={"situation": situation.pk})
    except IntegrityError:  # another worker was quicker
        return Ticket.objects.get(situation=situation.pk, source=Ticket.Source.SITUATION)
    return ticket


def proposed(situation: Situation) -> dict[str, Any]:
    """What an incident says of a situation: title, description in Markdown, impact, and the items that it is about."""
    return {
        "title": situation.title[:300],
        "description": _described(situation),
        "impact": rules.impact_of(Severity(situation.severity)),
        "items": _items(situation),
    }


def matching(record: dict[str, Any]) -> IncidentRule | None:
    """The first enabled rule for a situation with these columns."""
    severity = Severity(record["severity"])
    for rule in IncidentRule.objects.filter(enabled=True).select_related("queue").order_by("pk"):
        if severity.rank >= Severity(rule.min_severity).rank and rules.says_all(rule.words, record["title"]):
            return rule
    return None


def _described(situation: Situation) -> str:
    """Its probable cause and why its alerts belong together, in Markdown."""
    names = dict(Item.objects.filter(pk__in=[c.item for c in situation.causes[:3]]).values_list("pk", "name"))
    lines = [
        f"- {names.get(c.item, c.item)}: {' '.join(r.text for r in c.because)}" for c in situation.causes[:3]
    ]
    parts = ["Probable causes:\n", *lines] if lines else []
    return "\n".join(
        [*parts, *(["", *(r.text for r in situation.because)] if situation.because else [])]
    ).strip()


def _items(situation: Situation) -> list[str]:
    """The causes first, then what its alerts are about."""
    alerts = Alert.objects.filter(situation=situation.pk, item__isnull=False).order_by("starts_at")
    named = [*(c.item for c in situation.causes), *alerts.values_list("item_id", flat=True)]
    there = set(Item.objects.filter(pk__in=named[:1000]).values_list("pk", flat=True))
    return [n for n in dict.fromkeys(named) if n in there][:_ITEMS]
