"""Whose a ticket is: a person's own are those they asked for; a contact of an organisation also has those that the people
in its teams, and in those of its parts, asked for."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from watchkeeper.domains import access
from watchkeeper.domains.access.models import Organisation, Team
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.problems import BadQuery, Forbidden, NotThere

AUDITOR = "external auditor"
_STATES = {"": (), "open": rules.OPEN, "done": (rules.RESOLVED, *rules.OVER)}


def person_of(actor: Actor, *, writes: bool = False) -> User:
    """Who uses the portal. Raises Forbidden for a token that belongs to nobody, or is for something else."""
    person: User | None = actor.person
    if person is None:
        raise Forbidden("read", "portal", ("Only people have tickets of their own; this token is nobody's.",))
    if actor.kind is ActorKind.TOKEN:
        if actor.only and "tickets" not in actor.only:
            raise Forbidden("read", "portal", (f"{actor.name} is for {', '.join(sorted(actor.only))} only.",))
        if writes and not actor.may(Scope.WRITE):
            raise Forbidden("change", "portal", (f"{actor.name} may only read.",))
    if writes and AUDITOR in access.roles_of(person):
        raise Forbidden("change", "portal", ("External auditors change nothing.",))
    return person


def tickets_of(person: User) -> QuerySet[Ticket]:
    """What somebody sees in the portal, the newest first."""
    mine = Q(requester=person)
    if organisations := _organisations(person):
        theirs = Team.members.through.objects.filter(team__organisation__in=organisations).values("user_id")
        mine |= Q(requester__in=theirs)
    return Ticket.objects.filter(mine).select_related("requester").order_by("-id")


def narrowed(found: QuerySet[Ticket], search: str, state: str) -> QuerySet[Ticket]:
    """Those with all of these words in their number, title or description, that are `open` or `done`; "" is both. Raises
    BadQuery."""
    if state not in _STATES:
        raise BadQuery(f"state={state!r}: open or done", "state")
    if state:
        found = found.filter(status__in=_STATES[state])
    for word in search.split()[:10]:
        found = found.filter(
            Q(number__icontains=word) | Q(title__icontains=word) | Q(description__icontains=word)
        )
    return found


def ticket_of(person: User, number: str) -> Ticket:
    """The ticket of this number. Raises NotThere, in the same words for one of somebody else and for none."""
    found = tickets_of(person).filter(number=number).first()
    if found is None:
        raise NotThere("you have no ticket of this number")
    return found


def _organisations(person: User) -> set[Any]:
    """Those that somebody is a contact of, and their parts."""
    found: set[Any] = set()
    more = set(person.portal_contacts.values_list("organisation", flat=True))
    while more:
        found |= more
        more = set(Organisation.objects.filter(parent__in=more).values_list("pk", flat=True)) - found
    return found
