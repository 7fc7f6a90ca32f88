"""What belongs to a ticket (steps, time, assignments): read by who may read the ticket, written by who may change it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require, visible, within
from watchkeeper.kernel.resource import registry


def _of_readable(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    everything = Ticket.objects.all()
    seen = visible(actor, "tickets", everything)
    return found if seen is everything else found.filter(ticket__in=seen.order_by().values("pk"))


def belongs_to_ticket(path: str) -> None:
    """The records of this kind, which have a field `ticket`, are read with their ticket."""
    within[path] = _of_readable


def changes(actor: Actor, ticket: Ticket) -> None:
    """Raises Forbidden for who may not change this ticket."""
    require(actor, "change", registry["tickets"], ticket)


def create(actor: Actor, model: type[Any], data: dict[str, Any]) -> Any:
    """A new one, on a ticket that the actor may change."""
    changes(actor, data["ticket"])
    return model.objects.create(**data)


def change(actor: Actor, record: Any, data: dict[str, Any]) -> Any:
    """Set its fields. Raises Forbidden."""
    changes(actor, record.ticket)
    for name, value in data.items():
        setattr(record, name, value)
    record.save()
    return record


def remove(actor: Actor, record: Any) -> None:
    """Take it away. Raises Forbidden."""
    changes(actor, record.ticket)
    record.delete()
