"""Time entries, declared; and the timers of tickets."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from watchkeeper.domains.desk import belonging, rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.timing import spending
from watchkeeper.domains.desk.timing.models import TimeEntry
from watchkeeper.domains.identity.behind import administers
from watchkeeper.domains.identity.naming import Person
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer

_MOST = 60 * 24 * 31  # minutes of one entry


class TimeEntrySerializer(RecordSerializer):
    """Whose it is does not change."""

    person = Person(required=False, help_text="a user name; empty: whoever writes this")
    minutes = serializers.IntegerField(min_value=1, max_value=_MOST)

    class Meta:
        model = TimeEntry
        fields = ("id", "ticket", "person", "began_at", "minutes", "billable", "note")
        read_only_fields = ("id",)
        validators: ClassVar[list[Any]] = []  # that only one timer runs is no matter of what is typed in
        extra_kwargs = {"began_at": {"help_text": "empty: now"}}


class Stopping(serializers.Serializer[Any]):
    """What the time was for."""

    note = serializers.CharField(max_length=300, required=False, help_text="what the time was for")
    billable = serializers.BooleanField(required=False, default=False)


def _change(actor: Actor, entry: TimeEntry, data: dict[str, Any]) -> TimeEntry:
    for name in ("ticket", "person"):
        if name in data and data[name] != getattr(entry, name):
            raise Invalid("it stays as it is; remove the entry and write another", name)
    _own(actor, entry)
    changed: TimeEntry = belonging.change(actor, entry, data)
    return changed


def _remove(actor: Actor, entry: TimeEntry) -> None:
    _own(actor, entry)
    belonging.remove(actor, entry)


def _own(actor: Actor, entry: TimeEntry) -> None:
    """A program that may change the ticket looks after all time on it; a person after their own."""
    others = actor.person is not None and actor.person.pk != entry.person_id
    if others and not administers(actor):
        raise Refused(f"the time is {entry.person}'s; only they and administrators change it")


def _start(actor: Actor, ticket: Ticket, _: dict[str, Any]) -> Done:
    spending.start(actor, ticket)
    return Done()


def _stop(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> Done:
    spending.stop(actor, ticket, data.get("note", ""), data.get("billable"))
    return Done()


ACTIONS = (
    Action(
        "start-timer", "Start the timer", _start, audited=False, offered=lambda t: t.status not in rules.OVER
    ),
    Action("stop-timer", "Stop the timer…", _stop, Stopping, audited=False),
)

plain(
    TimeEntry, "time entry", "time-entries", "began_at person ticket minutes billable note", serializer=TimeEntrySerializer,
    filters={"ticket": ["exact", "in"], "ticket__queue": ["exact"], "person__username": ["exact", "in"],
             "began_at": ["gte", "lte", "lt"], "billable": ["exact"], "minutes": ["isnull", "gte", "lte"]},
    search=("note",), ordering=("-began_at", "-id"), create=spending.add, change=_change, remove=_remove,
    policy_attributes=("person__username",),
)  # fmt: skip
belonging.belongs_to_ticket("time-entries")
