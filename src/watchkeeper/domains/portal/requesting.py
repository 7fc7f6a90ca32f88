"""What people do in the portal: ask for something, reply, close and open again. Each act is theirs in the audit trail;
the desk's own rules say what it does to the ticket."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import transaction

from watchkeeper.domains.annotations import storing
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.conversation import Attachment
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.conversation.saying import add
from watchkeeper.domains.desk.models import Queue, Ticket
from watchkeeper.domains.desk.promising import FOLLOWS, follow
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.portal.own import person_of
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry

TALKED_ABOUT = (*rules.OPEN, rules.RESOLVED)
OPENED_AGAIN = (rules.RESOLVED, rules.CLOSED)


def open_ticket(actor: Actor, data: dict[str, Any], files: Sequence[Attachment] = ()) -> Ticket:
    """A new ticket of the person's own. `data` has passed `shapes.Opening`."""
    about = data.get("about", "").strip()
    text = data["description"] + (f"\n\nAbout: {about}" if about else "")
    with _alone(files), transaction.atomic():
        ticket = Ticket(
            type=data["type"], title=data["title"], description=text, requester=person_of(actor, writes=True),
            source=Ticket.Source.PORTAL, queue=Queue.objects.filter(portal=True).first(),
        )  # fmt: skip
        ticket.save()
        ticket.items.set(_named(about))
        if follow(ticket):
            ticket.save(update_fields=FOLLOWS)
        audit.record(actor, "ticket.create", ticket, after=audit.state_of(ticket))
        if files:
            names = ", ".join(f.name for f in files)
            add(
                actor,
                ticket,
                f"Attached: {names}",
                public=True,
                source=TicketMessage.Source.PORTAL,
                files=files,
            )
    return ticket


def _named(about: str) -> list[Item]:
    """The item of this name, where there is exactly one; whoever asks does not learn whether there is."""
    found = list(Item.objects.filter(name__iexact=about)[:2]) if about else []
    return found if len(found) == 1 else []


def reply(actor: Actor, ticket: Ticket, text: str, files: Sequence[Attachment] = ()) -> TicketMessage:
    """Say something on a ticket that is not over. Raises Refused."""
    if ticket.status not in TALKED_ABOUT:
        raise Refused(f"{ticket.number} is {ticket.get_status_display()}; open it again, or ask anew")
    with _alone(files):
        return add(actor, ticket, text, public=True, source=TicketMessage.Source.PORTAL, files=files)


def close(actor: Actor, ticket: Ticket) -> None:
    """What was resolved is closed; what was not is no longer wanted. Raises Refused."""
    _move(actor, ticket, "close" if ticket.status == rules.RESOLVED else "cancel")


def reopen(actor: Actor, ticket: Ticket, text: str) -> None:
    """It is not solved, for this reason. Raises Refused."""
    with transaction.atomic():
        _move(actor, ticket, "reopen")
        ticket.refresh_from_db()
        add(actor, ticket, text, public=True, source=TicketMessage.Source.PORTAL)


def _move(actor: Actor, ticket: Ticket, name: str) -> None:
    action = registry["tickets"].action(name)
    if action is None or not action.offered(ticket):
        raise Refused(f"{ticket.number} is {ticket.get_status_display()}")
    # Without the person: whoever asks for something does not become the one who does it.
    action.run(replace(actor, person=None), ticket, {})


def _alone(files: Sequence[Attachment]) -> Any:
    return storing.alone(settings.FILES) if files else nullcontext()
