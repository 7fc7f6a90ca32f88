"""What the pages of alerts and items show beyond their facts: reasons, relations in words, charts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db.models import Q

from watchkeeper.console import pictured, provenance, sameness
from watchkeeper.console.measured import alert_charts, item_charts
from watchkeeper.console.tables import Row, cells
from watchkeeper.domains.audit.deeds import deed
from watchkeeper.domains.automation.models import EventRule, Firing
from watchkeeper.domains.inbox.rules import sentence
from watchkeeper.domains.inventory.impact import holding
from watchkeeper.domains.inventory.models import Item, Relation
from watchkeeper.domains.situations import judgements
from watchkeeper.domains.situations.models import Alert, Judgement, Silence
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.models import AuditEntry, Delivery, OutboxRow
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry

SHOWN = 50  # relations, alerts
#: a relation as it reads from its source, and from its target
PHRASES = {
    "depends_on": ("Depends on", "Needed by"),
    "runs_on": ("Runs on", "Carries"),
    "member_of": ("Is part of", "Is made of"),
    "contains": ("Contains", "Is in"),
    "connects_to": ("Is connected to", "Is connected to"),
    "protects": ("Protects", "Is protected by"),
    "backs_up": ("Keeps copies of", "Is backed up by"),
}


def of_alert(alert: Alert, actor: Actor) -> dict[str, Any]:
    """Its reasons, its situation, what holds it back, and its series."""
    held, _, by = alert.suppressed_by.partition(":")
    silence = Silence.objects.filter(pk=by).first() if held == "silence" else None
    other = visible(actor, "alerts").filter(pk=by).first() if held == "alert" else None
    return {
        "situation": visible(actor, "situations").filter(pk=alert.situation_id).first()
        if alert.situation_id
        else None,
        "charts": alert_charts(alert),
        "silence": silence,
        "held_by": other,
        "judgements": judgements.of_alert(actor, alert),
        "web": alert.url if alert.url.startswith(("http://", "https://")) else "",
    }


def of_judgement(judgement: Judgement, actor: Actor) -> dict[str, Any]:
    """The alert that it was said on, while there is one."""
    return {"said_on": visible(actor, "alerts").filter(pk=judgement.alert).first()}


def of_audit(entry: AuditEntry, _: Actor) -> dict[str, Any]:
    """What was done, as a sentence."""
    return {"title": f"{entry.actor} {deed(entry.act)} {entry.name}".strip()}


def of_rule(rule: EventRule, actor: Actor) -> dict[str, Any]:
    """What it did last, for the page that says whose it is."""
    found = visible(actor, "firings").filter(rule=rule)
    return {"fired": found[:20], "fired_count": found.count(), "in_words": {"firings"}}


def of_firing(firing: Firing, actor: Actor) -> dict[str, Any]:
    """What had happened, as a sentence and by what it changed, and every attempt to tell it."""
    event = msgspec.convert(firing.told, Event)
    names = [n for n in {**event.before, **event.after} if event.act != "create"]
    row = OutboxRow.objects.filter(pk=firing.effect, state="due", attempts__gt=0).first()
    return {
        "again_at": row.due_at if row is not None else None,
        "job": visible(actor, "jobs").filter(pk=firing.message).first(),
        "title": sentence(event, registry[event.kind].name) if event.act != "test" else event.name,
        "event": event,
        "changes": [
            (n.replace("_", " ").capitalize(), event.before.get(n), event.after.get(n)) for n in names
        ],
        "attempts": Delivery.objects.filter(row=firing.effect)[:50],
    }


def of_item(item: Item, actor: Actor) -> dict[str, Any]:
    """Its alerts, its relations in words, its names and its main metrics."""
    resource = registry["alerts"]
    # The newest of each state: what fires first.
    found = visible(actor, resource).filter(item=item).order_by("status", "-last_seen_at")[:10]
    return {
        "alerts": [Row(a, resource, cells(resource, a)) for a in found],
        "alerts_resource": resource,
        "relations": relations(item, actor),
        "can_relate": may(actor, "create", registry["relations"]),
        "identifiers": item.identifiers.filter(valid_to=None),
        "charts": item_charts(item),
        **pictured.of_item(item, actor),
        **provenance.of_item(item, actor),
        **sameness.of_item(item, actor),
        "in_words": {"relations"},  # of what is related, what the page says otherwise
    }


def of_item_at(item: Item, actor: Actor, at: dt.datetime) -> dict[str, Any]:
    """What of it was otherwise then: its relations and its names."""
    names = item.identifiers.filter(valid_from__lte=at).filter(Q(valid_to=None) | Q(valid_to__gt=at))
    return {"at": at, "relations": relations(item, actor, at), "identifiers": names, "can_relate": False}


def relations(item: Item, actor: Actor, at: dt.datetime | None = None) -> list[tuple[str, list[Item]]]:
    """The items around it that one may see, by how they belong to it, as they do now or did then."""
    out: dict[str, dict[str, Item]] = {}
    ends = ((0, {"source": item}, "target"), (1, {"target": item}, "source"))
    for side, of, other in ends:
        found = Relation.objects.filter(holding(at), **of).select_related(other).order_by(f"{other}__name")
        shown = list(found[:SHOWN])
        ids = [getattr(r, f"{other}_id") for r in shown]
        seen = set(visible(actor, "items", Item.objects.filter(pk__in=ids)).values_list("pk", flat=True))
        for relation in shown:
            end: Item = getattr(relation, other)
            phrase = PHRASES.get(relation.kind, (relation.kind.replace("_", " "),) * 2)[side]
            if end.pk not in seen:
                continue
            out.setdefault(phrase, {})[end.pk] = end
    order = [p for pair in PHRASES.values() for p in pair]
    return [
        (p, list(out[p].values()))
        for p in sorted(out, key=lambda p: order.index(p) if p in order else len(order))
    ]
