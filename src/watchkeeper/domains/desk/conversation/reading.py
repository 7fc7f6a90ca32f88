"""Who may read what of a conversation: whoever may read the ticket reads the replies; notes are for those whom a policy
lets read them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible, within
from watchkeeper.kernel.resource import registry


def public(ticket: Ticket) -> QuerySet[TicketMessage]:
    """The replies, in their order; never an internal note."""
    return TicketMessage.objects.filter(ticket=ticket, sort=TicketMessage.Sort.REPLY)


def visible_to(actor: Actor, ticket: Ticket) -> QuerySet[TicketMessage]:
    """What the actor, who may read the ticket, may read of its conversation, in its order."""
    if not reads_notes(actor, ticket):
        return public(ticket)
    return TicketMessage.objects.filter(ticket=ticket)


def reads_notes(actor: Actor, ticket: Ticket) -> bool:
    """Whether policies let the actor read internal notes on this ticket."""
    note = TicketMessage(ticket=ticket, sort=TicketMessage.Sort.NOTE)
    return may(actor, "read", registry["ticket-messages"], note)


def _on_visible_tickets(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    everything = Ticket.objects.all()
    seen = visible(actor, "tickets", everything)
    return found if seen is everything else found.filter(ticket__in=seen.values("pk"))


within["ticket-messages"] = _on_visible_tickets
