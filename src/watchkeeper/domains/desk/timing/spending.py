"""Timers, and what time comes to: by ticket, queue, person and month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from watchkeeper.domains.desk import belonging, rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.timing.models import TimeEntry
from watchkeeper.domains.desk.timing.rules import minutes_between
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.lists import narrow
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import BadQuery, Refused
from watchkeeper.kernel.resource import registry

#: by what sums are told → the columns that say which, and its name
BY = {
    "ticket": ("ticket_id", "ticket__number"),
    "queue": ("ticket__queue_id", "ticket__queue__name"),
    "person": ("person_id", "person__username"),
    "month": ("month", "month"),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Minutes in so many entries; `key` and `name` are of what they were spent on."""

    key: Any
    name: str
    minutes: int
    billable: int
    entries: int


def start(actor: Actor, ticket: Ticket) -> TimeEntry:
    """Its timer runs for the actor, whose other timer stops. Raises Refused."""
    person = _person(actor)
    if ticket.status in rules.OVER:
        raise Refused(f"{ticket.number} is {rules.STATES[ticket.status]}")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)  # one at a time for each person
        running = TimeEntry.objects.filter(person=person, minutes=None).first()
        if running is not None and running.ticket_id == ticket.pk:
            raise Refused(f"your timer runs for {ticket.number} already")
        if running is not None:
            _end(actor, running)
        made = TimeEntry.objects.create(ticket=ticket, person=person)
        audit.record(actor, "time-entry.start", made, after={"ticket": ticket.pk})
    return made


def stop(actor: Actor, ticket: Ticket, note: str = "", billable: bool | None = None) -> TimeEntry:
    """The actor's timer stops. Raises Refused when none runs for this ticket."""
    person = _person(actor)
    with transaction.atomic():
        running = (
            TimeEntry.objects.select_for_update().filter(person=person, minutes=None, ticket=ticket).first()
        )
        if running is None:
            raise Refused(f"your timer does not run for {ticket.number}")
        running.note, running.billable = (
            note or running.note,
            running.billable if billable is None else billable,
        )
        _end(actor, running)
    return running


def _end(actor: Actor, running: TimeEntry) -> None:
    running.minutes = minutes_between(running.began_at, timezone.now())
    running.save(update_fields=["minutes", "note", "billable"])
    audit.record(actor, "time-entry.stop", running, after={"minutes": running.minutes})


def _person(actor: Actor) -> User:
    if actor.person is None:
        raise Refused("only a person has a timer")
    found: User = actor.person
    return found


def add(actor: Actor, data: dict[str, Any]) -> TimeEntry:
    """An entry that somebody typed in: their own where no person is named."""
    belonging.changes(actor, data["ticket"])
    data["person"] = data.get("person") or _person(actor)
    if data.get("minutes") is None:
        raise Refused("say how many minutes it took, or start the ticket's timer")
    return TimeEntry.objects.create(**data)


def sums(entries: QuerySet[TimeEntry], by: str, zone: dt.tzinfo = dt.UTC) -> list[Spent]:
    """Most first, months in order. Timers that still run count nothing. Raises KeyError for what BY has not."""
    key, name = BY[by]
    found = entries.filter(minutes__isnull=False).order_by()
    if by == "month":
        found = found.annotate(month=TruncMonth("began_at", tzinfo=zone))
    columns = list(dict.fromkeys((key, name)))
    rows = found.values(*columns).annotate(
        spent=Sum("minutes"), to_bill=Sum("minutes", filter=Q(billable=True)), count=Count("pk")
    )
    told = [
        Spent(r[key], _called(r[name]), int(r["spent"] or 0), int(r["to_bill"] or 0), r["count"])
        for r in rows
    ]
    return sorted(told, key=lambda s: s.name if by == "month" else (-s.minutes, s.name))


def asked_sums(actor: Actor, parameters: Mapping[str, str], zone: dt.tzinfo = dt.UTC) -> list[Spent]:
    """Of the entries that the actor may read and the parameters of their list ask for; `by` says by what. Raises
    BadQuery."""
    given = (
        parameters.copy()
        if isinstance(parameters, MultiValueDict)
        else MultiValueDict({name: [value] for name, value in parameters.items()})
    )
    by = given.pop("by", ["month"])[-1]
    if by not in BY:
        raise BadQuery(f"by={by!r} is not one of: {', '.join(BY)}", "by")
    among = visible(actor, "time-entries", TimeEntry.objects.all())
    return sums(narrow(registry["time-entries"], among, given), by, zone)


def _called(value: Any) -> str:
    return f"{value:%Y-%m}" if isinstance(value, dt.datetime) else str(value or "none")
