"""What may help with a ticket or a situation, beside it: workarounds, articles, tickets that were solved before, runbooks.
It is looked for after the page is there, so that nobody waits for it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.rules import OPEN
from watchkeeper.domains.knowledge import rules as knowledge_rules
from watchkeeper.domains.knowledge import suggesting as knowledge
from watchkeeper.domains.problems import workarounds
from watchkeeper.domains.runbooks import rules as runbook_rules
from watchkeeper.domains.runbooks import suggesting as runbooks
from watchkeeper.domains.runbooks.models import Run
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

_RUNS = 5
_TO_CHOOSE_FROM = 200  # runbooks


def place(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Where it will stand, on the page of a ticket or a situation."""
    return {} if isinstance(record, Ticket | Situation) else None


def found(actor: Actor, record: Ticket | Situation) -> dict[str, Any]:
    """Everything that suits, as the template takes it."""
    of_ticket = isinstance(record, Ticket)
    shown: dict[str, Any] = {
        "of_ticket": of_ticket,
        "can_use": may(actor, "change", registry["tickets"], record if of_ticket else None),
        "to_requester": knowledge_rules.FOR_REQUESTERS if of_ticket and record.status in OPEN else (),
    }
    if may(actor, "read", registry["problems"]):
        offered = (
            workarounds.for_ticket(actor, record) if of_ticket else workarounds.for_situation(actor, record)
        )
        shown["workarounds"] = offered
    if may(actor, "read", registry["articles"]):
        shown["articles"] = (
            knowledge.articles_for(
                actor, knowledge.said(record), [str(k) for k in record.items.values_list("pk", flat=True)]
            )
            if of_ticket
            else knowledge.articles_for(actor, record.title)
        )
    if of_ticket:
        shown["solved"] = knowledge.solved_like(actor, record)
    if may(actor, "read", registry["runbooks"]):
        shown["runbooks"] = runbooks.runbooks_for(actor, record)
    return shown


def runs(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a ticket or a situation: the runbooks that are gone through for it, and those to choose from."""
    if not isinstance(record, Ticket | Situation) or not may(actor, "read", registry["runbooks"]):
        return None
    listed = list(on(Run, resource, [record.pk])[:_RUNS])
    may_begin = may(actor, "change", resource, record)
    books = visible(actor, "runbooks").filter(status=runbook_rules.IN_USE) if may_begin else ()
    chosen = list(books[:_TO_CHOOSE_FROM]) if may_begin else []
    name = "ticket" if isinstance(record, Ticket) else "situation"
    return {"runs": listed, "runbooks": chosen, "name": name} if listed or chosen else None
