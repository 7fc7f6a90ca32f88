"""Who is told before a promise about a ticket is broken, and when it is. What is next of each ticket is an effect of the
outbox that is due then: it looks whether the time has come, tells, and plans the next. One that was planned for a time
that is no more the right one does nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
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
Told = Set[tuple[str, int, int]]  # clock, percentage, and when the clock began: what was told before


@dataclass(frozen=True, slots=True)
class Step:
    """A percentage of what a clock promises, and when it is reached (Unix milliseconds)."""

    clock: Escalation.Clock
    percent: int
    began_ms: int
    at_ms: int


def told(escalations: Iterable[Escalation]) -> Told:
    """What these say was told."""
    return {(e.clock, e.percent, milliseconds(e.began_at)) for e in escalations}


def steps(ticket: Ticket, pair: Pair, before: Told | None = None) -> Iterator[Step]:
    """What is still to be told of an open ticket, and when as things are now: nothing of clocks that stand or whose promise
    was kept, and nothing that was told before; `before`, where that has been read."""
    agreement: Agreement | None = ticket.promise
    if agreement is None or ticket.status not in rules.OPEN:
        return
    if before is None:
        before = told(ticket.escalations.all())
    percents = {BROKEN, *(p for own in agreement.levels.values() for p in own)}
    for name, clock in zip(Escalation.Clock, pair, strict=True):
        if clock is None or clock.kept_ms is not None:
            continue
        for percent in percents:
            at = _reached(clock, percent)
            if at is not None and (name.value, percent, clock.began_ms) not in before:
                yield Step(name, percent, clock.began_ms, at)


def _reached(clock: Clock, percent: int) -> int | None:
    try:
        return clock.due(percent)
    except NeverWorked:
        return None


def plan(tickets: Iterable[tuple[Ticket, Pair]], before: Mapping[int, Told] | None = None) -> None:
    """Add what is next of each of these, in the caller's transaction. `before` is what was told of each, by its key, where
    that has been read."""
    now = milliseconds(timezone.now())
    effects = []
    for ticket, pair in tickets:
        known = None if before is None else before.get(ticket.pk, frozenset())
        if found := [step.at_ms for step in steps(ticket, pair, known)]:
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
