"""The page of a ticket, laid out for work: who and what at a glance, its steps, its time, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchkeeper.console.desk import due
from watchkeeper.console.fields import Field, fields_of
from watchkeeper.domains.annotations import as_html
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.conversation import visible_to
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.presence.looking import EVERY
from watchkeeper.domains.desk.timing import spending
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Action, registry

#: what is done with a ticket most: its buttons stand first, the others are folded
FIRST = "take,assign,start,go-on,ask,hand-over,resolve,reopen,close,macro"
_HERE = "add-checklist,start-timer,stop-timer,unmerge"  # offered in the panels that they are about
_CHOICES = 100
_MOST = 20  # of a kind that are named on the page


@dataclass(frozen=True)
class Time:
    """What was spent on the ticket in minutes, and whether the reader's timer runs."""

    minutes: int
    billable: int
    running: Any
    mine: Any
    by: list[spending.Spent]


def of_ticket(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    """What ticket.html needs beside what every record's page has."""
    tickets = registry["tickets"]
    changes = may(actor, "change", tickets, ticket)
    steps = list(ticket.steps.all())
    given = ticket.assignments.select_related("person").first()
    return {
        "actions": _forms(ticket, actor),
        "first": FIRST,
        "here": f"{FIRST},{_HERE}",
        "due": due(ticket),
        "written": as_html(ticket.description) if ticket.description else "",
        "solved": as_html(ticket.resolution) if ticket.resolution else "",
        "open": ticket.status in rules.OPEN,
        "changes": changes,
        "steps": steps,
        "ticked": sum(1 for step in steps if step.done_at),
        "time": _time(ticket, actor),
        "given": given if given and given.person_id == ticket.assignee_id and given.because else None,
        "items": list(visible(actor, "items").filter(tickets=ticket.pk).order_by("name")[:_MOST]),
        "parent": _one(actor, ticket.parent_id),
        "into": _one(actor, ticket.merged_into_id),
        "merged": list(visible(actor, tickets).filter(merged_into=ticket.pk).order_by("pk")[:_MOST]),
        "every": EVERY,
        "looks": actor.person is not None,
    }


def _one(actor: Actor, key: int | None) -> Ticket | None:
    """Another ticket, where the reader may see it."""
    return visible(actor, "tickets").filter(pk=key).first() if key else None


def _time(ticket: Ticket, actor: Actor) -> Time | None:
    if not may(actor, "read", registry["time-entries"]):
        return None
    entries = visible(actor, "time-entries").filter(ticket=ticket.pk)
    by = spending.sums(entries, "person")
    running = list(entries.filter(minutes=None))
    mine = next((e for e in running if actor.person is not None and e.person_id == actor.person.pk), None)
    others = [e for e in running if e is not mine]
    return Time(sum(s.minutes for s in by), sum(s.billable for s in by), others, mine, by)


def _forms(ticket: Ticket, actor: Actor) -> list[tuple[Action, list[Field]]]:
    """What can be done with it now; of what leaves with a split, what this ticket has is to choose from."""
    tickets = registry["tickets"]
    offered = (a for a in tickets.actions if a.offered(ticket) and may(actor, a.name, tickets, ticket))
    return [(a, _apart(ticket, actor, a.fields) if a.name == "split" else fields_of(a.fields, actor))
            for a in offered]  # fmt: skip


def _apart(ticket: Ticket, actor: Actor, asked: Any) -> list[Field]:
    fields = asked().fields
    said = visible_to(actor, ticket).select_related("author").order_by("-created_at", "-id")[:_CHOICES]
    items = visible(actor, "items").filter(tickets=ticket.pk).order_by("name")[:_CHOICES]
    there = {
        "messages": tuple((str(m.pk), f"{m.by}: {m}") for m in said),
        "items": tuple((str(i.pk), i.name) for i in items),
    }
    picked = [
        Field(
            name,
            str(fields[name].label),
            "pick",
            str(fields[name].help_text or ""),
            choices=choices,
            value=[],
        )
        for name, choices in there.items()
        if choices
    ]
    return [*fields_of(asked, actor, fields.keys() - there.keys()), *picked]
