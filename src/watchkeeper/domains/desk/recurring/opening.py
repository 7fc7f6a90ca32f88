"""Opens recurring tickets: each occurrence is an effect of the outbox that is due then, and opens one ticket, whatever
is killed or done twice."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.prefilling.opening import open_from
from watchkeeper.domains.desk.recurring import rules
from watchkeeper.domains.desk.recurring.models import Occurrence, RecurringTicket
from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.models import OutboxRow

KIND = "recurring-ticket"


def plan(recurring: RecurringTicket, after: dt.datetime) -> None:
    """Find out when it comes next after this time, and have it opened then; in the caller's transaction."""
    starts = dt.datetime.combine(recurring.starts_on, recurring.at)
    at = rules.next_after(recurring.rule, starts, recurring.zone, after) if recurring.enabled else None
    RecurringTicket.objects.filter(pk=recurring.pk).update(next_at=at)
    recurring.next_at = at
    if at is not None:
        payload = {"recurring": recurring.pk, "at": milliseconds(at)}
        effect = f"recurring:{recurring.pk}:{milliseconds(at)}"
        outbox.add([outbox.Effect(effect, KIND, str(recurring), payload, at)])


def open_one(recurring: RecurringTicket, at: dt.datetime) -> Ticket | None:
    """The ticket of this occurrence; None when it was opened before."""
    try:
        with transaction.atomic():
            occurrence = Occurrence.objects.create(recurring=recurring, at=at)
            occurrence.ticket = open_from(SYSTEM, recurring.template)
            occurrence.save(update_fields=["ticket"])
    except IntegrityError:
        if Occurrence.objects.filter(recurring=recurring, at=at).exists():
            return None
        raise
    return occurrence.ticket


@outbox.handler(KIND)
def carry_out(row: OutboxRow) -> str:
    """Plan the next, then open the ticket of this occurrence, unless the rule has become another. Done again, it does
    what is left to do; a template that cannot be used stops this one only."""
    at = moment(row.payload["at"])
    with transaction.atomic():
        found = RecurringTicket.objects.select_for_update(of=("self",)).filter(pk=row.payload["recurring"])
        recurring = found.select_related("template__queue").first()
        if recurring is None or at is None or not _comes(recurring, at):
            return "planned otherwise meanwhile"
        if recurring.next_at == at:
            plan(recurring, at)
    ticket = open_one(recurring, at)
    return f"{ticket.number} opened" if ticket else "opened before"


def _comes(recurring: RecurringTicket, at: dt.datetime) -> bool:
    """Whether it is on, and this is one of its times."""
    starts = dt.datetime.combine(recurring.starts_on, recurring.at)
    before = at - dt.timedelta(milliseconds=1)
    return recurring.enabled and rules.next_after(recurring.rule, starts, recurring.zone, before) == at


def begin(recurring: RecurringTicket) -> None:
    """It is new, or another: it goes on from now."""
    plan(recurring, timezone.now())
