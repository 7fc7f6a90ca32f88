"""Tickets, queues and incident rules, declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from watchkeeper.domains.desk import daily, opening, promising, rules
from watchkeeper.domains.desk.joining import parents
from watchkeeper.domains.desk.models import IncidentRule, Queue, Ticket
from watchkeeper.domains.desk.moving import MOVES
from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.knowledge.moving import WRITE_OF
from watchkeeper.domains.problems.making import OF_TICKETS
from watchkeeper.domains.problems.writing import WRITE
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_SET = (
    "title",
    "description",
    "type",
    "impact",
    "urgency",
    "queue",
    "assignee",
    "requester",
    "contact",
    "items",
    "agreement",
    "parent",
    "skills",
)
_TOLD = ("number", "status", "priority", "source", "resolution", "opened_at", "answered_at", "resolved_at",
         "closed_at", "restarted_at", *promising.FOLLOWS, "merged_into")  # fmt: skip
_MANY = ("items", "skills")


class TicketSerializer(RecordSerializer):
    """Its state is changed by actions; its priority and due times follow."""

    assignee = Person(required=False, allow_null=True)
    requester = Person(
        required=False,
        allow_null=True,
        help_text="a user name; empty: whoever writes this, unless there is a contact",
    )

    class Meta:
        model = Ticket
        fields = ("id", "number", *_SET, "situation", *(t for t in _TOLD if t != "number"))
        read_only_fields = ("id", *_TOLD)
        extra_kwargs = {
            "impact": {"help_text": "how much of the service, and how many people, suffer"},
            "urgency": {"help_text": "how soon it has to be done"},
            "agreement": {"help_text": "empty: that of its queue"},
            "parent": {"help_text": "the bigger ticket that it is a part of"},
            "skills": {"help_text": "that whoever gets it has to have, beside those that its queue asks for"},
            "contact": {"help_text": "e-mail of somebody who asks and has no account"},
        }


def _create(actor: Actor, data: dict[str, Any]) -> Ticket:
    many = {name: data.pop(name, []) for name in _MANY}
    ticket = Ticket(**data)
    parents.fits(ticket, ticket.parent)
    if ticket.situation is not None:
        there = opening.incident_of(ticket.situation.pk)
        if there is not None:
            raise Refused(f"{there.number} was opened from this situation")
        ticket.source = Ticket.Source.SITUATION
    if ticket.requester is None and not ticket.contact:
        ticket.requester = actor.person
    promising.begin(ticket)
    for name in (n for n in _MANY if many[n]):
        getattr(ticket, name).set(many[name])
    return ticket


def _change(_: Actor, ticket: Ticket, data: dict[str, Any]) -> Ticket:
    many = {name: data.pop(name) for name in _MANY if name in data}
    parents.fits(ticket, data.get("parent"))
    if data.get("type", ticket.type) != ticket.type and ticket.situation_id:
        raise Refused("what was opened from a situation stays an incident")
    for name, value in data.items():
        setattr(ticket, name, value)
    ticket.save()
    for name, records in many.items():
        getattr(ticket, name).set(records)
    if promising.follow(ticket):
        ticket.save(update_fields=promising.FOLLOWS)
    return ticket


def _take(actor: Actor, ticket: Ticket, _: dict[str, Any]) -> Done:
    if actor.person is None:
        raise Refused("only a person can take a ticket")
    with transaction.atomic():
        now = Ticket.objects.select_for_update().get(pk=ticket.pk)
        if now.assignee_id not in (None, ticket.assignee_id):
            raise Refused(f"{now.assignee} has taken it meanwhile")
        now.assignee = actor.person
        now.save(update_fields=["assignee"])
    return Done()


registry.add(
    Resource(
        model=Ticket,
        path="tickets",
        name="ticket",
        description="Incidents and service requests: what somebody suffers from or asks for, until it is done.",
        fields=TicketSerializer.Meta.fields,
        columns=(
            Column("number", link=True),
            Column("title"),
            Column("status", show=Show.STATE),
            Column("priority", show=Show.COUNT),
            Column("queue"),
            Column("assignee"),
            Column("resolution_due_at", "Due", Show.TIME),
            Column("opened_at", "Opened", Show.TIME),
        ),
        filters={
            "status": ["exact", "in"],
            "type": ["exact"],
            "priority": ["exact", "lte", "gte"],
            "queue": ["exact", "isnull"],
            "assignee": ["isnull"],
            "assignee__username": ["exact", "in"],
            "requester__username": ["exact"],
            "contact": ["exact", "icontains"],
            "items": ["exact"],
            "situation": ["exact", "isnull"],
            "agreement": ["exact", "isnull"],
            "parent": ["exact", "isnull"],
            "merged_into": ["exact", "isnull"],
            "skills": ["exact"],
            "overdue": ["exact"],
            "source": ["exact", "in"],
            "opened_at": ["gte", "lte"],
            "resolution_due_at": ["gte", "lte", "isnull"],
            "answer_breached_at": ["gte", "lte", "isnull"],
            "resolution_breached_at": ["gte", "lte", "isnull"],
        },
        search=("number", "title", "description", "resolution"),
        ordering=("priority", "-id"),
        orderable=("number", "opened_at", "resolution_due_at", "status"),
        writable=_SET,
        create_only=("situation",),
        allow=frozenset({"create", "change", "remove"}),
        serializer=TicketSerializer,
        prepare=lambda found: found.select_related(
            "queue__agreement__calendar", "agreement__calendar", "assignee", "requester", "situation"
        ).prefetch_related("items", "skills"),
        create=_create,
        change=_change,
        policy_attributes=("type", "status", "queue__name", "requester__username", "assignee__username"),
        related={"tickets": lambda t: t.children.all()},
        default_filters={"status__in": ",".join(rules.OPEN)},
        actions=(
            Action("take", "Take it", _take, offered=lambda t: t.status in rules.OPEN, bulk=True),
            *(replace(move, bulk=True) for move in MOVES),
            *daily.ACTIONS,
            WRITE_OF,
            OF_TICKETS,
            WRITE["tickets"],
        ),
    )
)  # fmt: skip
plain(
    Queue, "queue", "queues", "name team agreement gives:Gives_tickets",
    related={"tickets": lambda q: q.tickets.all(), "macros": lambda q: q.macros.all(),
             "ticket-templates": lambda q: q.templates.all()},
    policy_attributes=("name",),
)  # fmt: skip
plain(
    IncidentRule, "incident rule", "incident-rules", "name enabled:On min_severity:From_severity queue resolves",
)  # fmt: skip
