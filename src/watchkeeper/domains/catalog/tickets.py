"""Tickets of requests: opened for them, and moved as they go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.resource import registry


def opened(actor: Actor, title: str, description: str, **more: Any) -> Ticket:
    """A new service request, in the caller's transaction."""
    create: Any = registry["tickets"].create
    data = {"type": Ticket.Type.REQUEST, "title": title[:300], "description": description}
    ticket: Ticket = create(actor, {**data, **more})
    audit.record(actor, "ticket.create", ticket, after=audit.state_of(ticket))
    return ticket


def moved(actor: Actor, ticket: Ticket, name: str, **data: Any) -> None:
    """Move it this way, if it is in a state for that; in the caller's transaction."""
    now = Ticket.objects.get(pk=ticket.pk)
    action = registry["tickets"].action(name)
    if action is not None and action.offered(now):
        # Without the person: whoever orders or approves something does not become the one who does it.
        action.run(replace(actor, person=None), now, data)
