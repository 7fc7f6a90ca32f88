"""What is promised about tickets: when the first answer and the resolution are due, by the agreement that holds, and which
promises were broken."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from watchkeeper.domains.agreements.clock import Clock
from watchkeeper.domains.agreements.working import NeverWorked
from watchkeeper.domains.desk import escalating, rules
from watchkeeper.domains.desk.models import Escalation, Ticket, Wait
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.upserts import when

Row = TypeVar("Row", Wait, Escalation)
_CHUNK = 1000
_MINUTE = 60_000
#: what follows from the clocks of a ticket
FOLLOWS = ("answer_due_at", "resolution_due_at", "answer_breached_at", "resolution_breached_at")


def reckon(tickets: QuerySet[Ticket], *, told_otherwise: bool = False) -> int:
    """Find out anew when what was promised about these tickets is due; return of how many it is another time. Others are
    told at other times, too, when agreements say so: `told_otherwise`."""
    changed = 0
    keys = list(tickets.values_list("pk", flat=True))
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        waits = _by_ticket(Wait.objects.filter(ticket__in=chunk).order_by("began_at", "id"))
        told = _by_ticket(Escalation.objects.filter(ticket__in=chunk))
        found = list(_with_agreements(Ticket.objects.filter(pk__in=chunk).defer("description", "resolution")))
        pairs = [(ticket, clocks(ticket, waits.get(ticket.pk, ()))) for ticket in found]
        other = [(ticket, pair) for ticket, pair in pairs if _set(ticket, pair)]
        before = {pk: escalating.told(rows) for pk, rows in told.items()}
        with transaction.atomic():
            _write([ticket for ticket, _ in other])
            escalating.plan(pairs if told_otherwise else other, before)
        changed += len(other)
    return changed


def with_promises(found: QuerySet[Ticket]) -> Iterable[Ticket]:
    """These tickets with all that their clocks follow from."""
    waits = Prefetch("waits", Wait.objects.order_by("began_at", "id"))
    told = Prefetch("escalations", Escalation.objects.order_by("id"))
    return _with_agreements(found).prefetch_related(waits, told)


def _with_agreements(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Agreements and calendars are read once for all tickets, not with each."""
    return found.prefetch_related(
        "agreement__calendar",
        "agreement__targets",
        "queue__agreement__calendar",
        "queue__agreement__targets",
    )


def _by_ticket(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """To prefetch them makes a queryset a ticket."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.ticket_id].append(row)
    return found


def _write(tickets: Sequence[Ticket]) -> None:
    """In the caller's transaction. Bulk_update would take ten times as long to say it."""
    table = connection.ops.quote_name(Ticket._meta.db_table)
    sql = f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in FOLLOWS)} WHERE id = %s"
    rows = [(*(_column(getattr(t, name)) for name in FOLLOWS), t.pk) for t in tickets]
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def _column(at: dt.datetime | None) -> Any:
    return when(milliseconds(at)) if at is not None else None


def begin(ticket: Ticket) -> None:
    """Save a new ticket with when an answer and its resolution are due, in the caller's transaction. What is told of it is
    planned."""
    ticket.priority = rules.priority(ticket.impact, ticket.urgency)
    pair = clocks(ticket, ())
    _set(ticket, pair)
    ticket.save()
    escalating.plan([(ticket, pair)], {})


def follow(ticket: Ticket) -> bool:
    """Set when an answer and the resolution of this ticket are due, without saving it; whether that has changed. What is
    told of it is planned, in the caller's transaction."""
    pair = clocks(ticket)
    changed = _set(ticket, pair)
    escalating.plan([(ticket, pair)])
    return changed


def _set(ticket: Ticket, pair: escalating.Pair) -> bool:
    before = [getattr(ticket, name) for name in FOLLOWS]
    answer, resolution = pair
    ticket.answer_due_at, ticket.resolution_due_at = _due(answer), _due(resolution)
    now = milliseconds(timezone.now())
    ticket.answer_breached_at = ticket.answer_breached_at or _broken(answer, now)
    ticket.resolution_breached_at = ticket.resolution_breached_at or _broken(resolution, now)
    return before != [getattr(ticket, name) for name in FOLLOWS]


def clocks(ticket: Ticket, waits: Iterable[Wait] | None = None) -> escalating.Pair:
    """Of the first answer and of the resolution; None where nothing is promised. `waits` are the ticket's, where they have
    been read."""
    agreement = ticket.promise
    target = agreement.by_priority.get(ticket.priority) if agreement else None
    if target is None:
        return None, None
    waited = [
        (w.status, milliseconds(w.began_at), milliseconds(w.ended_at) or None)
        for w in (ticket.waits.all() if waits is None else waits)
    ]
    pauses = rules.standing(waited, agreement.pauses)
    time, opened = agreement.calendar.working_time, milliseconds(ticket.opened_at)
    again = max(opened, milliseconds(ticket.restarted_at) or 0) if agreement.restarts else opened

    def clock(promised: int | None, began: int, kept: dt.datetime | None) -> Clock | None:
        return (
            Clock(time, promised * _MINUTE, began, pauses, milliseconds(kept) or None) if promised else None
        )

    return clock(target.response_minutes, opened, ticket.answered_at), clock(
        target.resolution_minutes, again, ticket.resolved_at
    )


def named(ticket: Ticket) -> Iterator[tuple[Escalation.Clock, Clock]]:
    """The clocks that there are, by name."""
    for name, clock in zip(Escalation.Clock, clocks(ticket), strict=True):
        if clock is not None:
            yield name, clock


def _due(clock: Clock | None) -> dt.datetime | None:
    try:
        return moment(clock.due() or 0) if clock else None
    except NeverWorked:
        return None


def _broken(clock: Clock | None, now: int) -> dt.datetime | None:
    return _due(clock) if clock is not None and clock.broken(now) else None
