"""Gives tickets to people: who of the team could take one now, whom the rule chooses, and the ticket given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from watchkeeper.domains.desk import rules as desk
from watchkeeper.domains.desk.assigning import rules
from watchkeeper.domains.desk.assigning.models import Assignment
from watchkeeper.domains.desk.assigning.rules import Candidate, Choice
from watchkeeper.domains.desk.models import Queue, Ticket
from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.domains.inbox import reading, telling
from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.domains.timetables.models import Absence
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.events import By, Event
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry

GIVE = "give-ticket"
_LATER = dt.timedelta(hours=1)  # nobody can take it, and nothing says when somebody will
_SOONEST = dt.timedelta(minutes=1)


def give(
    actor: Actor, ticket: Ticket, person: User | None, because: str = "", *, by_rule: bool = False
) -> None:
    """It is this person's from now on; they are told. Raises Refused for a ticket that is over."""
    with transaction.atomic():
        now = Ticket.objects.select_for_update().get(pk=ticket.pk)
        if now.status in desk.OVER:
            raise Refused(f"{now.number} is {desk.STATES[now.status]}")
        before = now.assignee
        now.assignee = person
        now.save(update_fields=["assignee"])
        made = Assignment.objects.create(ticket=now, person=person, because=because, by_rule=by_rule)
        audit.record(
            actor, "ticket.assign", now, before={"assignee": str(before or "")},
            after={"assignee": str(person or ""), "because": because},
        )  # fmt: skip
        if person is not None:
            _tell(actor, now, made, person)


def _tell(actor: Actor, ticket: Ticket, made: Assignment, person: User) -> None:
    by = By(actor.kind, actor.name, actor.id, actor.request_id)
    event = Event(f"assignment:{made.pk}", "tickets", "assign", str(ticket.pk), str(ticket), str(made.at), by)
    telling.tell([person], event, (made.because or "It was given to you.")[:200])


def by_rule(ticket: Ticket) -> Choice:
    """Whom the rule of its queue chooses for it. Raises Refused where its queue gives none."""
    queue = ticket.queue
    if queue is None:
        raise Refused(f"{ticket.number} is in no queue: put it in one, or choose who gets it")
    way = rules.BY_LOAD if queue.gives == rules.BY_HAND else queue.gives
    asked = {s.name for s in (*queue.skills.all(), *ticket.skills.all())}
    return rules.choose(way, list(candidates(queue, ticket)), asked)


def give_by_rule(actor: Actor, ticket: Ticket) -> Choice:
    """Give it to whom the rule chooses; nobody gets it where nobody can take it."""
    chosen = by_rule(ticket)
    if chosen.name:
        give(actor, ticket, User.objects.get(username=chosen.name), chosen.because, by_rule=True)
    return chosen


def candidates(queue: Queue, ticket: Ticket) -> Iterable[Candidate]:
    """Everybody of the queue's team who may work on the ticket, and how they stand."""
    people = _members(queue, ticket)
    keys = [p.pk for p in people]
    now = timezone.now()
    open_ = dict(
        Ticket.objects.filter(assignee__in=keys, status__in=desk.OPEN)
        .order_by().values_list("assignee").annotate(Count("pk"))
    )  # fmt: skip
    given = Assignment.objects.filter(person__in=keys, ticket__queue=queue, by_rule=True)
    last = dict(given.order_by().values_list("person").annotate(Max("at")))
    away = {a.person_id: a for a in Absence.objects.filter(_now(now), person__in=keys)}
    on_call = None if in_hours(queue) else on_call_of(queue)
    for person in people:
        absent = ""
        if person.pk in away:
            absent = f"is away until {away[person.pk].ends_at:%Y-%m-%d %H:%M} UTC"
        elif on_call is not None and person.username not in on_call:
            absent = "is not on call, and it is outside working hours"
        yield Candidate(
            person.username, open_.get(person.pk, 0), milliseconds(last.get(person.pk)),
            frozenset(s.name for s in person.skills.all()), absent,
        )  # fmt: skip


def _members(queue: Queue, ticket: Ticket) -> list[Any]:
    if queue.team is None:
        return []
    members = queue.team.members.filter(is_active=True, kind=AccountKind.PERSON)
    return [
        p
        for p in members.prefetch_related("skills").order_by("username")
        if may(reading.actor(p), "take", registry["tickets"], ticket)
    ]


def _now(at: dt.datetime) -> Q:
    return Q(begins_at__lte=at, ends_at__gt=at)


def in_hours(queue: Queue) -> bool:
    """Whether the queue's team works now: always, where no agreement says when."""
    return queue.agreement is None or queue.agreement.calendar.open_now


def on_call_of(queue: Queue) -> set[str]:
    """Who of the queue's team is on call now, by user name."""
    found = Schedule.objects.filter(team=queue.team).prefetch_related(*READ)
    return {name for s in found if (name := s.now)}


def try_again_at(queue: Queue) -> dt.datetime:
    """When somebody may be there who can take a ticket of this queue: working hours begin, or an absence ends."""
    now = timezone.now()
    people = queue.team.members.values("pk") if queue.team else []
    ends = (
        Absence.objects.filter(_now(now), person__in=people)
        .order_by("ends_at")
        .values_list("ends_at", flat=True)
    )
    opens = queue.agreement.calendar.next_change_at if queue.agreement else None
    found = [at for at in (ends.first(), opens, now + _LATER) if at is not None]
    return max(min(found), now + _SOONEST)


def fresh(ticket: Ticket) -> bool:
    """Whether its queue is to give it: open, nobody's, and of a queue that gives its tickets by itself."""
    gives = ticket.queue is not None and ticket.queue.gives != rules.BY_HAND
    return gives and ticket.assignee_id is None and ticket.status in desk.OPEN


def of_queue(key: str) -> str:
    """Give the ticket of this key if its queue is to. In words, what came of it; "" where nothing was to be done."""
    with transaction.atomic():
        ticket = Ticket.objects.select_for_update().filter(pk=key).first()
        if ticket is None or not fresh(ticket):
            return ""
        chosen = give_by_rule(SYSTEM, ticket)
        if not chosen.name:
            _later(ticket)
        return f"{ticket.number} {chosen.because}"


def _later(ticket: Ticket) -> None:
    due = try_again_at(ticket.queue)
    payload = {"ticket": str(ticket.pk)}
    outbox.add([outbox.Effect(f"give:{ticket.pk}:{milliseconds(due)}", GIVE, str(ticket), payload, due)])


@outbox.handler(GIVE)
def again(row: OutboxRow) -> str:
    """Nobody could take it; perhaps somebody can now."""
    return of_queue(row.payload["ticket"]) or "it needs nobody any more"
