"""The conversation on the page of a ticket: what the reader may read of it, oldest first, and a form to add to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString

from watchkeeper.domains.annotations import as_html
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.desk import conversation
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.mail import writing
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import Resource, registry

SHOWN = 200  # the newest
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


@dataclass(frozen=True)
class Said:
    """One message as it is drawn."""

    message: TicketMessage
    text: SafeString
    files: list[tuple[File, bool]]  # and whether it is a picture that browsers show
    asked: bool  # by the requester, or somebody without an account
    unsent: list[str]  # sentences about mails that have not gone out


def timeline(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a ticket."""
    return of(record, actor) if isinstance(record, Ticket) else None


def of(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    """What the template shows of this ticket's conversation."""
    found = conversation.visible_to(actor, ticket).select_related("author")
    newest = list(found.order_by("-created_at", "-id")[: SHOWN + 1])
    files = defaultdict(list)
    for file in on(File, registry["ticket-messages"], [m.pk for m in newest]):
        files[file.record].append(file)
    unsent = writing.unsent([m.pk for m in newest])
    return {
        "said": [_said(ticket, m, files[str(m.pk)], unsent.get(m.pk, [])) for m in reversed(newest[:SHOWN])],
        "more": len(newest) > SHOWN,
        "can_say": may(actor, "create", registry["ticket-messages"], TicketMessage(ticket=ticket)),
        "can_note": may(actor, "create", registry["ticket-messages"], TicketMessage(ticket=ticket, sort="note")),
        "most": settings.FILE_SIZE,
        "accept": ",".join(sorted(f".{end}" for end in settings.FILE_TYPES)),
    }  # fmt: skip


def _said(ticket: Ticket, message: TicketMessage, files: list[File], unsent: list[str]) -> Said:
    asked = message.outside or (message.author_id is not None and message.author_id == ticket.requester_id)
    pictures = [(f, f.name.lower().endswith(_PICTURES)) for f in files]
    return Said(message, as_html(message.body), pictures, asked, unsent)
