"""Who is told before a promise about a ticket is broken, and when it is. What is next of each ticket is an effect of the
outbox that is due then: it looks whether the time has come, tells, and plans the next. One that was planned for a time
that is no more the right one does nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils import timezone

from watchkeeper.domains.agreements.clock import Clock
from watchkeeper.domains.agreements.working import NeverWorked
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Escalation, Ticket
from watchkeeper.kernel import outbox
from watchkeeper.kernel.fields import milliseconds, moment

if TYPE_CHECKING:
    from watchkeeper.domains.agreements.models import Agreement

KIND = "promise"
BROKEN = 100  # percent: from then on it is a broken promise, whoever is told
Pair = tuple[Clock | None, Clock | None]


@dataclass(frozen=True, slots=True)
class Step:
    """A percentage of what a clock promises, and when it is reached (Unix milliseconds)."""

    clock: Escalation.Clock
    percent: int
    began_ms: int
    at_ms: int


def steps(ticket: Ticket, pair: Pair) -> Iterator[Step]:
    """What is still to be told of an open ticket, and when as things are now: nothing of clocks that stand or whose promise
    was kept, and nothing that was told before."""
    agreement: Agreement | None = ticket.promise
    if agreement is None or ticket.status not in rules.OPEN:
        return
    told = {(e.clock, e.percent, milliseconds(e.began_at)) for e in ticket.escalations.all()}
    percents = {BROKEN, *(p for own in agreement.levels.values() for p in own)}
    for name, clock in zip(Escalation.Clock, pair, strict=True):
        if clock is None or clock.kept_ms is not None:
            continue
        for percent in percents:
            at = _reached(clock, percent)
            if at is not None and (name.value, percent, clock.began_ms) not in told:
                yield Step(name, percent, clock.began_ms, at)


def _reached(clock: Clock, percent: int) -> int | None:
    try:
        return replace(clock, promised_ms=clock.promised_ms * percent // 100).due()
    except NeverWorked:
        return None


def plan(tickets: Iterable[tuple[Ticket, Pair]]) -> None:
    """Add what is next of each of these, in the caller's transaction."""
    now = milliseconds(timezone.now())
    effects = []
    for ticket, pair in tickets:
        if found := [step.at_ms for step in steps(ticket, pair)]:
            # What is overdue is done at once, by an effect of its own: one for that time may have come and gone.
            at = max(min(found), now)
            payload = {"ticket": ticket.pk}
            effects.append(
                outbox.Effect(f"{KIND}:{ticket.pk}:{at}", KIND, f"tickets/{ticket.pk}", payload, moment(at))
            )
    if effects:
        outbox.add(effects)


def reached(ticket: Ticket, pair: Pair, now: dt.datetime) -> list[Step]:
    """Those whose time has come, earliest first."""
    found = (step for step in steps(ticket, pair) if step.at_ms <= milliseconds(now))
    return sorted(found, key=lambda step: (step.at_ms, step.percent))
