"""Skills and assignments, declared; and what can be done with tickets about them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.assigning import giving
from watchkeeper.domains.desk.assigning.models import Assignment, Skill
from watchkeeper.domains.desk.belonging import belongs_to_ticket
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.inbox import reading
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.rest import RecordSerializer


class SkillSerializer(RecordSerializer):
    """People are user names."""

    people = Person(many=True, required=False, style={"input": "list"}, help_text="user names, one a line")

    class Meta:
        model = Skill
        fields = ("id", "name", "description", "people")
        read_only_fields = ("id",)


class To(serializers.Serializer[Any]):
    """Who gets it."""

    assignee = Person(help_text="a user name")


def _assign(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> Done:
    person = data["assignee"]
    if not may(reading.actor(person), "read", registry["tickets"], ticket):
        raise Invalid(f"{person} may not read this ticket", "assignee")
    giving.give(actor, ticket, person)
    return Done()


def _by_rule(actor: Actor, ticket: Ticket, _: dict[str, Any]) -> Done:
    chosen = giving.give_by_rule(actor, ticket)
    if not chosen.name:
        raise Refused(chosen.because)
    return Done()


def _release(actor: Actor, ticket: Ticket, _: dict[str, Any]) -> Done:
    giving.give(actor, ticket, None, "given back to the queue")
    return Done()


def _open(ticket: Ticket) -> bool:
    return ticket.status in rules.OPEN


ACTIONS = (
    Action("assign", "Assign…", _assign, To, offered=_open, audited=False, bulk=True),
    Action("assign-by-rule", "Assign by rule", _by_rule, offered=_open, audited=False, bulk=True),
    Action("release", "Give back", _release, audited=False, bulk=True,
           offered=lambda t: _open(t) and t.assignee_id is not None),
)  # fmt: skip

plain(
    Skill, "skill", "skills", "name description", serializer=SkillSerializer, policy_attributes=("name",),
    filters={"name": ["exact", "icontains"], "people__username": ["exact"]}, search=("name", "description"),
    related={"queues": lambda s: s.queues.all()},
)  # fmt: skip
plain(
    Assignment, "assignment", "assignments", "at person because by_rule ticket",
    description="To whom tickets were given, when, and why.", search=("because",), writable=(),
    allow=frozenset(), ordering=("-at", "-id"), orderable=("at",),
)  # fmt: skip
belongs_to_ticket("assignments")
