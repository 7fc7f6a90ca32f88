"""How tickets go from state to state, and what that does to their clocks."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.desk import promising, rules
from watchkeeper.domains.desk.joining import informing, parents
from watchkeeper.domains.desk.models import Ticket, Wait
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.states import Transition, machine, move

_WAITED_IN = (rules.ASKED, rules.WITH_PARTNER, rules.RESOLVED)


class Resolution(serializers.Serializer[Any]):
    """What was done."""

    resolution = serializers.CharField(
        max_length=20_000, label="What was done", help_text="for whoever has it again",
        style={"base_template": "textarea.html"},
    )  # fmt: skip
    children = serializers.BooleanField(
        required=False,
        default=False,
        label="Resolve its open children too",
        help_text="with the same words",
    )
    anyway = serializers.BooleanField(
        required=False,
        default=False,
        label="Resolve anyway",
        help_text="although children are open or steps not ticked",
    )


def _resolve(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> None:
    """What is left is in the way; children go along."""
    parents.before_resolving(ticket, data)
    _then(actor, ticket, data)
    informing.resolved(ticket)
    if data.get("children"):
        for child in ticket.children.filter(status__in=rules.OPEN).order_by("pk"):
            require(actor, "resolve", registry["tickets"], child)
            move("status", RESOLVE, actor, child, data)


def settle(ticket: Ticket) -> None:
    """Its state has become another by other ways than MOVES: what follows from that, without saving it."""
    now = timezone.now()
    ticket.resolved_at = None if ticket.status in rules.OPEN else ticket.resolved_at or now
    ticket.closed_at = now if ticket.status in rules.OVER else None
    _wait(ticket, now)
    promising.follow(ticket)


def _then(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> None:
    now = timezone.now()
    ticket.resolution = data.get("resolution", ticket.resolution)
    if ticket.assignee_id is None and ticket.status == rules.WORKED_ON and actor.person is not None:
        ticket.assignee = actor.person
    if ticket.status != rules.CANCELLED:
        ticket.answered_at = ticket.answered_at or now
    ticket.resolved_at = now if ticket.status == rules.RESOLVED else ticket.resolved_at
    ticket.closed_at = now if ticket.status in rules.OVER else None
    if ticket.status in rules.OPEN:
        ticket.resolved_at = None
    _wait(ticket, now)
    promising.follow(ticket)


def _wait(ticket: Ticket, now: dt.datetime) -> None:
    """End what it waited for, and begin what it waits for now."""
    if ticket.status in rules.OVER and ticket.resolved_at:
        return  # what was resolved stays so
    ticket.waits.filter(ended_at=None).exclude(status=ticket.status).update(ended_at=now)
    if ticket.status in _WAITED_IN:
        Wait.objects.create(ticket=ticket, status=ticket.status, began_at=now)


_UNSOLVED = rules.OPEN
RESOLVE = Transition("resolve", "Resolve…", _UNSOLVED, rules.RESOLVED, fields=Resolution, then=_resolve)
MOVES = machine(
    "status",
    Transition("start", "Start work", (rules.NEW,), rules.WORKED_ON, then=_then),
    Transition("go-on", "Go on", (rules.ASKED, rules.WITH_PARTNER), rules.WORKED_ON, then=_then),
    Transition(
        "ask", "Wait for the requester", (rules.NEW, rules.WORKED_ON, rules.WITH_PARTNER), rules.ASKED, then=_then
    ),
    Transition(
        "hand-over", "Wait for a partner", (rules.NEW, rules.WORKED_ON, rules.ASKED), rules.WITH_PARTNER, then=_then
    ),
    RESOLVE,
    Transition("reopen", "Open again", (rules.RESOLVED, rules.CLOSED), rules.WORKED_ON, then=_then),
    Transition("close", "Close", (rules.RESOLVED,), rules.CLOSED, then=_then),
    Transition("cancel", "Cancel", _UNSOLVED, rules.CANCELLED, then=_then, confirm="Nothing will be done about it."),
)  # fmt: skip


def resolve(actor: Actor, ticket: Ticket, resolution: str) -> Ticket:
    """Resolve it for this reason. Raises Refused in a state in which it cannot be."""
    resolved: Ticket = move("status", RESOLVE, actor, ticket, {"resolution": resolution, "anyway": True})
    return resolved
