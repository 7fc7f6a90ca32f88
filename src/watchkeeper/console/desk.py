"""The service desk on the pages of others: the incident of a situation, an item's open tickets, a ticket's promises."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchkeeper.console.templatetags.console import lasting
from watchkeeper.domains.agreements.clock import Clock
from watchkeeper.domains.agreements.models import Agreement
from watchkeeper.domains.desk import foreseeing, opening, promising, rules
from watchkeeper.domains.desk.models import Queue, Ticket
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

_ANSWER = "First answer"
_SHOWN = 5
_LIKELY = 0.5  # a ticket that is likelier late than not
_NEAR = dt.timedelta(hours=2)  # of what is due: soon, in a list
_SOON = 0.75  # of what is promised; from then on it is time


def tickets(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a situation and of an item: their open tickets, and where to write one."""
    if isinstance(record, Situation):
        found = visible(actor, "tickets").filter(situation=record.pk)
    elif isinstance(record, Item):
        found = visible(actor, "tickets").filter(items=record.pk, status__in=rules.OPEN)
    else:
        return None
    new = "" if not may(actor, "create", registry["tickets"]) else _new(record, actor)
    listed = list(found.order_by("priority", "-id")[: _SHOWN + 1])
    more = f"/tickets/?{urlencode({'items': record.pk})}" if len(listed) > _SHOWN else ""
    return {"tickets": listed[:_SHOWN], "more": more, "new": new} if listed or new else None


def _new(record: Situation | Item, actor: Actor) -> str:
    """Where to write a ticket about this; "" for a situation that has one."""
    if isinstance(record, Item):
        return f"/tickets/new/?{urlencode({'items': record.pk})}"
    if record.state == "resolved" or opening.incident_of(record.pk) is not None:
        return ""
    given = opening.proposed(record)
    named = visible(actor, "items").filter(pk__in=given.pop("items")).values_list("pk", flat=True)
    return f"/tickets/new/?{urlencode({**given, 'situation': record.pk, 'items': list(named)}, doseq=True)}"


def promises(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a ticket: how much of what was promised is used, and what is left."""
    if not isinstance(record, Ticket):
        return None
    now = milliseconds(timezone.now())
    answer, resolution = promising.clocks(record)
    named = ((_ANSWER, answer), ("Resolution", resolution))
    rows = [_row(label, clock, now, record) for label, clock in named if clock is not None]
    if not rows:
        return None
    return {
        "rows": rows,
        "agreement": record.promise,
        "told": record.escalations.all()[:_SHOWN],
        "foreseen": foreseeing.of_ticket(record, timezone.now()),
    }


def beneath(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of an agreement: those by which it is kept, those that it keeps, and what they do not carry."""
    if not isinstance(record, Agreement):
        return None
    seen = visible(actor, "service-level-agreements")
    below, above = (list(seen.filter(pk__in=found.values("pk"))) for found in (record.kept_by, record.keeps))
    return {"below": below, "above": above, "warnings": record.warnings} if below or above else None


def pace(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a queue: how many of its open tickets will be late, and which."""
    if not isinstance(record, Queue):
        return None
    found = foreseeing.of_queue(record, timezone.now())
    seen = set(visible(actor, "tickets").filter(queue=record).values_list("pk", flat=True))
    likely = [f for f in found.tickets if f.ticket.pk in seen and (f.chance.late or 0) >= _LIKELY][:_SHOWN]
    return {"found": found, "likely": likely} if found.tickets else None


def _row(label: str, clock: Clock, now: int, ticket: Ticket) -> dict[str, Any]:
    used, promised = clock.used(now), clock.promised_ms
    state = "broken" if clock.broken(now) else "kept" if clock.kept_ms else "running"
    stands = state == "running" and bool(clock.pauses) and clock.pauses[-1][1] is None
    return {
        "label": label,
        "state": "stands" if stands else "soon" if state == "running" and used > _SOON * promised else state,
        "share": min(100, round(100 * used / promised)),
        "used": dt.timedelta(milliseconds=used),
        "promised": dt.timedelta(milliseconds=promised),
        "left": dt.timedelta(milliseconds=abs(promised - used)),
        "open": clock.time.open_at(now),
        "since": moment(clock.pauses[-1][0]) if stands else None,
        "why": rules.STATES[ticket.status],
        "due": None
        if stands or state != "running"
        else ticket.answer_due_at
        if label == _ANSWER
        else ticket.resolution_due_at,
        "again": clock.began_ms > milliseconds(ticket.opened_at),
        "began": moment(clock.began_ms),
    }


def due(ticket: Ticket) -> SafeString:
    """What is due next of an open ticket: late in red, soon in orange."""
    answer = ticket.answer_due_at if ticket.answered_at is None else None
    known = [
        (at, word) for at, word in ((answer, "answer "), (ticket.resolution_due_at, "")) if at is not None
    ]
    if not known or ticket.status not in rules.OPEN:
        return SafeString("–")
    at, word = min(known)
    left = at - timezone.now()
    away = lasting(dt.timedelta(minutes=max(1, abs(left) // dt.timedelta(minutes=1))))
    late = left < dt.timedelta(0)
    tone = "red" if late else "orange" if left < _NEAR else "secondary"
    words = f"{word}late by {away}" if late else f"{word}in {away}"
    return format_html('<span class="badge bg-{}-lt" title="{}">{}</span>', tone, _plainly(at), words)


def _plainly(at: dt.datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}"
