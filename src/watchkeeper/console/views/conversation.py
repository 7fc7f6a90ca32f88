"""Adds a reply or an internal note, with files, from the page of a ticket."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from watchkeeper.console import conversation as shown
from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import page, with_files
from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.desk import conversation
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.conversation.resources import LONGEST
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Forbidden, Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError


@with_files
@require_POST
def say(request: HttpRequest, key: str) -> HttpResponse:
    """Add to the conversation."""
    actor = actor_of(request)
    resource, ticket = found(actor, "tickets", key)
    before, error = (ticket.status, ticket.answered_at), ""
    try:
        _add(request, actor, ticket)
    except Forbidden:
        raise
    except WatchkeeperError as wrong:
        error = wrong.detail
    if not error and (not request.headers.get("HX-Request") or (ticket.status, ticket.answered_at) != before):
        where = f"/tickets/{ticket.pk}/"
        if not request.headers.get("HX-Request"):
            return HttpResponseRedirect(f"{where}#conversation")
        return HttpResponse(headers={"HX-Refresh": "true"})  # more of the page than this has changed
    context = {
        **shown.of(ticket, actor),
        "error": error,
        "typed": request.POST.get("body", "") if error else "",
    }
    part = {"resource": resource, "record": ticket, "panel": context}
    return page(request, "parts/conversation.html", status=400 if error else 200, **part)


def _add(request: HttpRequest, actor: Actor, ticket: Ticket) -> None:
    """Raises Forbidden or a WatchkeeperError."""
    is_note = request.POST.get("sort") == TicketMessage.Sort.NOTE
    sort = TicketMessage.Sort.NOTE if is_note else TicketMessage.Sort.REPLY
    require(actor, "create", registry["ticket-messages"], TicketMessage(ticket=ticket, sort=sort))
    for handler in request.upload_handlers:
        if getattr(handler, "error", None) is not None:
            raise handler.error  # type: ignore[attr-defined]
    files = [conversation.Attachment(filing.fit_name(f.name or ""), f.content)
             for f in request.FILES.getlist("file") if isinstance(f, filing.Uploaded)]  # fmt: skip
    body = request.POST.get("body", "").strip()
    if not body:
        raise Invalid("write something", "body")
    if len(body) > LONGEST:
        raise Invalid(f"at most {LONGEST} characters", "body")
    conversation.say(
        actor, ticket, body, public=not is_note, source=TicketMessage.Source.CONSOLE, files=files
    )
