"""Splits a ticket: what is about something else goes on as a ticket of its own."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework import serializers

from watchkeeper.domains.annotations.models import Link
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.conversation.reading import visible_to
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel import audit, doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bulk import Given
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Done, registry


class Apart(serializers.Serializer[Any]):
    """What leaves."""

    title = serializers.CharField(max_length=300, help_text="of the new ticket")
    description = serializers.CharField(
        max_length=20_000, required=False, default="", style={"base_template": "textarea.html"}
    )
    items = serializers.PrimaryKeyRelatedField(
        queryset=Item.objects.all(), many=True, required=False, default=list,
        help_text="of this ticket, that the new one is about instead",
    )  # fmt: skip
    messages = serializers.PrimaryKeyRelatedField(
        queryset=TicketMessage.objects.all(), many=True, required=False, default=list,
        help_text="of this ticket, that go over to the new one",
    )  # fmt: skip


def split(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> Ticket:
    """The new ticket. Raises Invalid for what is not this ticket's, or Forbidden."""
    items = data.get("items", [])
    own = set(ticket.items.values_list("pk", flat=True))
    if strange := [i for i in items if i.pk not in own]:
        raise Invalid(f"{strange[0]} is not among the items of {ticket.number}", "items")
    messages = data.get("messages", [])
    readable = set(visible_to(actor, ticket).values_list("pk", flat=True))
    if any(m.pk not in readable for m in messages):
        raise Invalid(f"a message is not among those of {ticket.number}", "messages")
    with transaction.atomic():
        made = _made(actor, ticket, data, items)
        ticket.items.remove(*items)
        Link.objects.create(
            kind="tickets", record=str(made.pk), sort=Link.Sort.FOLLOWS, to_kind="tickets",
            to_record=str(ticket.pk), made_by=actor.name,
        )  # fmt: skip
        TicketMessage.objects.filter(pk__in=[m.pk for m in messages]).update(ticket=made)
        moved = {"items": [i.pk for i in items], "messages": [m.pk for m in messages]}
        told = {"into": made.number, **{name: keys for name, keys in moved.items() if keys}}
        audit.record(actor, "ticket.split", ticket, after=told)
    return made


def _made(actor: Actor, ticket: Ticket, data: dict[str, Any], items: list[Item]) -> Ticket:
    given = {
        "title": data["title"], "description": data.get("description", ""), "type": ticket.type,
        "impact": ticket.impact, "urgency": ticket.urgency, "queue": ticket.queue, "agreement": ticket.agreement,
        "assignee": ticket.assignee, "requester": ticket.requester, "contact": ticket.contact,
        "items": items, "skills": list(ticket.skills.all()),
    }  # fmt: skip
    made: Ticket = doing.create(registry["tickets"], actor, Given(given, ticket.save))
    for party in ticket.participants.all():
        made.participants.create(address=party.address, name=party.name)
    return made


def _split(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> Done:
    made = split(actor, ticket, data)
    return Done(body={"ticket": made.pk, "number": made.number, "see": f"/tickets/{made.pk}/"})


ACTIONS = (
    Action("split", "Split…", _split, Apart, audited=False,
           offered=lambda t: t.status in (*rules.OPEN, rules.RESOLVED)),
)  # fmt: skip
