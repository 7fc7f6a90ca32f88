"""Carries out what `escalating` has planned: notes that a percentage of a promise is used up, that a promise is broken, and
tells whom the agreement names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains import inbox
from watchkeeper.domains.desk import escalating, promising
from watchkeeper.domains.desk.escalating import BROKEN, KIND, Step
from watchkeeper.domains.desk.models import Escalation, Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import By, Event
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(KIND)
def carry_out(row: OutboxRow) -> str:
    """Do what has come due of a ticket, and plan what is next."""
    now = timezone.now()
    with transaction.atomic():
        # One ticket at a time: two effects about it never tell the same twice.
        Ticket.objects.select_for_update(of=("self",)).filter(pk=row.payload["ticket"]).first()
        found = promising.with_promises(Ticket.objects.filter(pk=row.payload["ticket"]))
        ticket = next(iter(found), None)
        if ticket is None:
            return "the ticket is no more"
        pair = promising.clocks(ticket)
        due = escalating.reached(ticket, pair, now)
        told = [_told(ticket, step) for step in _latest(due)]
        if due:
            _note(ticket, due, told)
        escalating.plan([(ticket, pair)])
    return ", ".join(told) or "nothing is due"


def _latest(due: Sequence[Step]) -> Iterable[Step]:
    """Of each clock the farthest: who was not told of 75 % in time is not told of it beside 100 %."""
    return {step.clock: step for step in due}.values()


def _note(ticket: Ticket, due: Sequence[Step], told: Sequence[str]) -> None:
    Escalation.objects.bulk_create(
        [
            Escalation(ticket=ticket, clock=s.clock, percent=s.percent, began_at=moment(s.began_ms),
                       reached_at=moment(s.at_ms), told=len(_people(ticket, s.percent)))
            for s in due
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    ticket._prefetched_objects_cache.pop("escalations", None)  # type: ignore[attr-defined]
    broken = [s for s in due if s.percent == BROKEN]
    for step in broken:
        name = f"{step.clock}_breached_at"
        setattr(ticket, name, getattr(ticket, name) or moment(step.at_ms))
    if broken:
        ticket.save(update_fields=[f"{s.clock}_breached_at" for s in broken])
        audit.record(SYSTEM, "ticket.break-promise", ticket, after={"told": list(told)})


def _told(ticket: Ticket, step: Step) -> str:
    """Tell whom the agreement names for this percentage; what was told, in words."""
    promised = "first answer" if step.clock == Escalation.Clock.ANSWER else "resolution"
    why = (
        f"Its {promised} is late."
        if step.percent >= BROKEN
        else f"{step.percent} % of the time that is promised for its {promised} is used."
    )
    event = Event(
        f"{KIND}:{ticket.pk}:{step.clock}:{step.percent}:{step.began_ms}", "tickets", "remind", str(ticket.pk),
        str(ticket), timezone.now().isoformat(), By("system", "Watchkeeper"),
    )  # fmt: skip
    number = inbox.tell(_people(ticket, step.percent), event, why)
    return f"{promised} {step.percent} %: {number} told"


def _people(ticket: Ticket, percent: int) -> list[User]:
    """Without anybody twice."""
    levels = ticket.promise.levels
    team = ticket.queue.team if ticket.queue else None
    found: list[User] = []
    if percent in levels["assignee"] and ticket.assignee is not None:
        found.append(ticket.assignee)
    if percent in levels["leads"] and team is not None:
        found += team.owners.all()
    if percent in levels["team"] and team is not None:
        found += team.members.all()
    return list(dict.fromkeys(found))
