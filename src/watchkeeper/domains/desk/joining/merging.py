"""Merges tickets: everything of one goes over to another, and the one is closed with a pointer to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Model
from rest_framework import serializers

from watchkeeper.domains.annotations.models import File, Link, Note, Tagging
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.joining import informing
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.moving import settle
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import reading
from watchkeeper.domains.inbox.models import Subscription
from watchkeeper.domains.inbox.telling import tell
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.events import By, Event
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.permissions import may, require
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done, registry

PATH = "tickets"
#: what belongs to a ticket and goes over as it is: the name of its rows → by which field they belong to it
ROWS = {"steps": "ticket", "time_entries": "ticket", "children": "parent"}
HANGS = {"notes": Note, "files": File}


class IntoTicket(serializers.Serializer[Any]):
    """The ticket that goes on."""

    into = serializers.PrimaryKeyRelatedField(
        queryset=Ticket.objects.filter(status__in=(*rules.OPEN, rules.RESOLVED)), label="Into the ticket",
        help_text="it keeps everything; the others are closed and point to it",
    )  # fmt: skip


def merge(actor: Actor, ticket: Ticket, into: Ticket) -> None:
    """Everything of `ticket` goes over. Raises Refused, or Forbidden for who may not change both."""
    require(actor, "change", registry[PATH], into)
    with transaction.atomic():
        locked = Ticket.objects.select_for_update().in_bulk(sorted((ticket.pk, into.pk)))
        one, other = locked[ticket.pk], locked[into.pk]
        _can(one, other)
        before = {"status": one.status, "merged_into": None}
        moved = _go_over(one, other)
        one.merged_into, one.status = other, rules.CLOSED
        one.resolution = one.resolution or f"Merged into {other.number}."
        settle(one)
        one.save()
        informing.merged(actor, one, other)
        audit.record(actor, "ticket.merge", one, before=before, after={
            "status": one.status, "merged_into": other.pk, "moved": moved,
        })  # fmt: skip
        audit.record(actor, "ticket.absorb", other, after={"merged": one.number, "moved": moved})
        _tell(actor, one, other)


def _can(one: Ticket, other: Ticket) -> None:
    if one.pk == other.pk:
        raise Refused("a ticket cannot be merged into itself")
    for ticket in (one, other):
        if ticket.status in rules.OVER:
            raise Refused(f"{ticket.number} is {rules.STATES[ticket.status]}")


def _go_over(one: Ticket, other: Ticket) -> dict[str, Any]:
    """What went over, for the audit trail: unmerging.py puts it back by that."""
    moved: dict[str, Any] = {}
    if other.parent_id == one.pk:  # it was a child of what goes into it
        other.parent = one.parent
        other.save(update_fields=["parent"])
    for name, to in ROWS.items():
        rows = getattr(one, name).exclude(pk=other.pk) if name == "children" else getattr(one, name)
        moved[name] = _keys(rows.all())
        rows.all().update(**{to: other})
    for name, many in (("items", other.items), ("skills", other.skills)):
        fresh = set(_keys(getattr(one, name).all())) - set(_keys(many.all()))
        moved[name] = sorted(fresh)
        many.add(*fresh)
    for name, model in HANGS.items():
        rows = on(model, registry[PATH], [one.pk])
        moved[name] = _keys(rows)
        rows.update(record=str(other.pk))
    moved["links"] = _links(one, other)
    if informing.asker(one) == informing.asker(other):  # else the one would read what the other has written
        moved["messages"] = _keys(TicketMessage.objects.filter(ticket=one))
        TicketMessage.objects.filter(ticket=one).update(ticket=other)
        moved["participants"] = _participants(one, other)
    moved["tags"] = _tags(one, other)
    moved["watchers"] = _watchers(one, other)
    return {name: value for name, value in moved.items() if value}


def _keys(rows: Iterable[Model]) -> list[Any]:
    return [row.pk for row in rows]


def _links(one: Ticket, other: Ticket) -> list[int]:
    """Links of either end; those that would be there twice, or lead to itself, stay where they are."""
    moved = []
    ours, theirs = str(one.pk), str(other.pk)
    for end, kind in (("record", "kind"), ("to_record", "to_kind")):
        for link in Link.objects.filter(**{kind: PATH, end: ours}):
            setattr(link, end, theirs)
            same = Link.objects.filter(
                kind=link.kind, record=link.record, sort=link.sort, to_kind=link.to_kind,
                to_record=link.to_record, url=link.url,
            )  # fmt: skip
            itself = (link.kind, link.record) == (link.to_kind, link.to_record)
            if not itself and not same.exists():
                link.save(update_fields=[end])
                moved.append(link.pk)
    return moved


def _participants(one: Ticket, other: Ticket) -> list[int]:
    """Those in copy, but for whom the other has as well."""
    there = [*other.participants.values_list("address", flat=True)]
    fresh = _keys(one.participants.exclude(address__in=there))
    one.participants.filter(pk__in=fresh).update(ticket=other)
    return fresh


def _tags(one: Ticket, other: Ticket) -> list[int]:
    has = set(on(Tagging, registry[PATH], [other.pk]).values_list("tag", flat=True))
    fresh = [t.tag_id for t in on(Tagging, registry[PATH], [one.pk]).exclude(tag__in=has)]
    for tag in fresh:
        Tagging.objects.create(kind=PATH, record=str(other.pk), tag_id=tag)
    return fresh


def _watchers(one: Ticket, other: Ticket) -> list[int]:
    """Whoever watched it, asked for it or worked on it watches the other one, if they may read it. Who did not before."""
    watching = User.objects.filter(
        pk__in=Subscription.objects.filter(kind=PATH, record=str(one.pk), muted=False).values("user")
    )
    people = {*watching, *(p for p in (one.requester, one.assignee) if p is not None)}
    fresh = []
    for person in people - {other.requester}:
        if not may(reading.actor(person), "read", registry[PATH], other):
            continue
        _, made = Subscription.objects.get_or_create(
            user=person, kind=PATH, record=str(other.pk), query="", defaults={"title": str(other)[:200]}
        )
        fresh += [person.pk] if made else []
    return fresh


def _tell(actor: Actor, one: Ticket, other: Ticket) -> None:
    """Its requester and its assignee learn where it goes on."""
    by = By(actor.kind, actor.name, actor.id, actor.request_id)
    event = Event(
        f"merged:{one.pk}:{other.pk}", PATH, "merge", str(one.pk), f"{one} into {other.number}", "", by
    )
    people = {p for p in (one.requester, one.assignee) if p is not None}
    tell(people, event, f"It goes on as {other.number}.")


def _merge(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> Done:
    into = data["into"]
    if ticket.pk != into.pk:  # of many that are ticked, it may be one itself
        merge(actor, ticket, into)
    return Done()


ACTIONS = (
    Action("merge", "Merge into…", _merge, IntoTicket, audited=False, bulk=True,
           offered=lambda t: t.status in (*rules.OPEN, rules.RESOLVED)),
)  # fmt: skip
