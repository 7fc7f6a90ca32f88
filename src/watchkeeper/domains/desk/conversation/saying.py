"""Adds to the conversation on a ticket, and does to the ticket what follows: an agent's reply is the first answer, the
requester's puts a ticket that waits for them, or is resolved, back in progress."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.annotations import storing
from watchkeeper.domains.annotations.files import hang
from watchkeeper.domains.annotations.storing import Content
from watchkeeper.domains.desk import promising, rules
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import registry

#: how a ticket goes on when the requester has said something, by its state
_GOES_ON = {rules.ASKED: "go-on", rules.RESOLVED: "reopen"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A content that was stored with `storing.Writing`, under this name."""

    name: str
    content: Content


def say(
    actor: Actor, ticket: Ticket, body: str, *, public: bool, source: str = "", sender: str = "",
    message_id: str = "", files: Sequence[Attachment] = (), left_out: Sequence[str] = (),
) -> TicketMessage:  # fmt: skip
    """Add a reply (`public`) or an internal note, audited. `sender` is "Name <address>" of somebody who has no account,
    `source` one of TicketMessage.Source, where it is not the console or the API, `left_out` why something that came with it
    was not kept. `ticket` follows."""
    with storing.alone(settings.FILES) if files else nullcontext():
        return add(actor, ticket, body, public=public, source=source, sender=sender, message_id=message_id,
                   files=files, left_out=left_out)  # fmt: skip


def add(
    actor: Actor, ticket: Ticket, body: str, *, public: bool, source: str = "", sender: str = "",
    message_id: str = "", files: Sequence[Attachment] = (), left_out: Sequence[str] = (), audited: bool = True,
) -> TicketMessage:  # fmt: skip
    """As `say`, for a caller who holds `storing.alone` where there are files."""
    with transaction.atomic():
        message = TicketMessage.objects.create(
            ticket=ticket, sort=TicketMessage.Sort.REPLY if public else TicketMessage.Sort.NOTE,
            author=None if sender else actor.person, sender=(sender or _unless_person(actor))[:400],
            body=body, source=source or _source_of(actor), message_id=message_id[:255], left_out=list(left_out),
        )  # fmt: skip
        if audited:
            audit.record(actor, "ticket-message.create", message, after=audit.state_of(message))
        for file in files:
            hang(actor, "ticket-messages", str(message.pk), file.name, file.content)
        if public:
            _follow(actor, ticket, message)
    return message


def _source_of(actor: Actor) -> str:
    return TicketMessage.Source.CONSOLE if actor.kind is ActorKind.PERSON else TicketMessage.Source.API


def _unless_person(actor: Actor) -> str:
    return "" if actor.person is not None else actor.name


def _follow(actor: Actor, ticket: Ticket, message: TicketMessage) -> None:
    """What a reply does to its ticket."""
    if not message.outside and is_agent(actor, ticket):
        _answered(ticket)
    elif ticket.status in _GOES_ON:
        go_on = registry["tickets"].action(_GOES_ON[ticket.status])
        if go_on is not None:
            # As the platform: whoever asks for something does not become the one who does it.
            go_on.run(replace(SYSTEM, request_id=actor.request_id), ticket, {})
    ticket.refresh_from_db()


def is_agent(actor: Actor, ticket: Ticket) -> bool:
    """Whether somebody works on this ticket and has not asked for it."""
    asked = actor.person is not None and actor.person.pk == ticket.requester_id
    return not asked and may(actor, "change", registry["tickets"], ticket)


def _answered(ticket: Ticket) -> None:
    with transaction.atomic():
        now = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
        if now.answered_at is None:
            now.answered_at = timezone.now()
            promising.follow(now)
            now.save(update_fields=["answered_at", *promising.FOLLOWS])
