"""Applies macros: every part of one is the act that a person would do by hand, allowed and audited as that."""

from __future__ import annotations

from string import Template

from django.db import transaction

from watchkeeper.domains.desk.assigning import giving
from watchkeeper.domains.desk.macros.models import Macro
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel import doing, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bulk import Given
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry

#: what texts may say of the ticket, as $number
WORDS = ("number", "title", "requester", "agent", "queue")


def apply(actor: Actor, macro: Macro, ticket: Ticket) -> None:
    """All of it or nothing. Raises a WatchkeeperError."""
    if not macro.enabled:
        raise Refused(f"the macro {macro} is off")
    tickets = registry["tickets"]
    with transaction.atomic():
        _set(actor, macro, ticket)
        _give(actor, macro, Ticket.objects.get(pk=ticket.pk))
        if names := [n.strip() for n in macro.labels.split(",") if n.strip()]:
            has = extras.value_of(tickets, ticket, "tags")
            known = {n.casefold() for n in has}
            more = [n for n in names if n.casefold() not in known]
            doing.annotate(tickets, actor, ticket, {"tags": sorted([*has, *more], key=str.casefold)})
        _write(actor, macro, ticket)
        if macro.moves:
            now = Ticket.objects.get(pk=ticket.pk)
            action = tickets.action(macro.moves)
            if action is None:
                raise Refused(f"tickets cannot {macro.get_moves_display()} any more")
            resolution = filled(macro.resolution, actor, now)
            doing.act(tickets, action, actor, now, {"resolution": resolution} if resolution else {})


def _set(actor: Actor, macro: Macro, ticket: Ticket) -> None:
    said = {"queue": macro.queue, "impact": macro.impact, "urgency": macro.urgency}
    values = {name: value for name, value in said.items() if value is not None}
    if values:
        doing.change(registry["tickets"], actor, ticket, Given(values, ticket.save))


def _give(actor: Actor, macro: Macro, ticket: Ticket) -> None:
    match macro.gives:
        case Macro.Gives.ME:
            if actor.person is None:
                raise Refused("only a person can take a ticket")
            giving.give(actor, ticket, actor.person)
        case Macro.Gives.PERSON:
            giving.give(actor, ticket, macro.person)
        case Macro.Gives.NOBODY:
            giving.give(actor, ticket, None)
        case Macro.Gives.RULE:
            chosen = giving.give_by_rule(actor, ticket)
            if not chosen.name:
                raise Refused(chosen.because)


def _write(actor: Actor, macro: Macro, ticket: Ticket) -> None:
    """The reply, and the note that colleagues read."""
    resource = registry["ticket-messages"]
    for sort, text in (("reply", macro.reply), ("note", macro.note)):
        if text:
            values = {"ticket": ticket, "sort": sort, "body": filled(text, actor, ticket)}
            doing.create(resource, actor, Given(values, ticket.save))


def filled(text: str, actor: Actor, ticket: Ticket) -> str:
    """A text with what it says of the ticket; what it does not know stays as it is written."""
    requester = ticket.requester
    words = {
        "number": ticket.number, "title": ticket.title, "queue": str(ticket.queue or ""),
        "requester": (requester.name or requester.username) if requester else "",
        "agent": (actor.person.name or actor.name) if actor.person else actor.name,
    }  # fmt: skip
    return Template(text).safe_substitute(words)
