"""Which open tickets will be late at their queue's pace: from the working time that like tickets took in the last 30
days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from watchkeeper.domains.desk import promising, rules
from watchkeeper.domains.desk.models import Queue, Ticket
from watchkeeper.domains.desk.pace import LEAST, Chance, chance
from watchkeeper.kernel.fields import milliseconds, moment

BACK = dt.timedelta(days=30)
MOST = 500  # tickets that are looked at, the last ones


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Of one ticket. `because` says from what; `expected_at` when it is expected to be resolved, if work on it goes on."""

    ticket: Ticket
    chance: Chance
    expected_at: dt.datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class OfQueue:
    """Of all open tickets of a queue that a resolution is promised for: how many are expected to be late, and each, the
    likeliest first."""

    late: int
    tickets: Sequence[Foreseen]
    like: int

    @property
    def said(self) -> str:
        """In a sentence."""
        number = len(self.tickets)
        if self.like < LEAST:
            return f"Too few tickets were resolved in the last 30 days to foresee which of these {number} will be late."
        late = "none" if not self.late else str(self.late)
        return f"At the queue's pace of the last 30 days {late} of these {number} will be late."


def of_queue(queue: Queue, now: dt.datetime) -> OfQueue:
    """What is foreseen of its open tickets."""
    took = _took(queue, now)
    open_ = promising.with_promises(Ticket.objects.filter(queue=queue, status__in=rules.OPEN)[:2000])
    found = [f for t in open_ if (f := _foresee(t, took, now)) is not None]
    found.sort(key=lambda f: -(f.chance.late if f.chance.late is not None else -1.0))
    return OfQueue(round(sum(f.chance.late or 0.0 for f in found)), found, sum(map(len, took.values())))


def of_ticket(ticket: Ticket, now: dt.datetime) -> Foreseen | None:
    """What is foreseen of an open ticket; None where nothing is promised or it is in no queue."""
    if ticket.queue is None or ticket.status not in rules.OPEN:
        return None
    return _foresee(ticket, _took(ticket.queue, now), now)


def _took(queue: Queue, now: dt.datetime) -> dict[int, list[int]]:
    """Working times of resolved tickets in milliseconds, in order, by priority; found anew when another one has been
    resolved or a day has passed."""
    resolved = Ticket.objects.filter(queue=queue, resolved_at__gte=now - BACK)
    last = resolved.order_by("-resolved_at").values_list("pk", "resolved_at").first()
    return _took_until(queue.pk, last, now.date()) if last else {}


@lru_cache(maxsize=64)
def _took_until(queue: int, last: tuple[int, dt.datetime], day: dt.date) -> dict[int, list[int]]:
    since = dt.datetime.combine(day, dt.time(), dt.UTC) - BACK
    resolved = Ticket.objects.filter(queue=queue, resolved_at__gte=since, resolved_at__lte=last[1])
    found: dict[int, list[int]] = {}
    for ticket in promising.with_promises(resolved.order_by("-resolved_at")[:MOST]):
        _, clock = promising.clocks(ticket)
        if clock is not None:
            found.setdefault(ticket.priority, []).append(clock.used(milliseconds(last[1])))
    return {priority: sorted(took) for priority, took in found.items()}


def _foresee(ticket: Ticket, took: dict[int, list[int]], now: dt.datetime) -> Foreseen | None:
    _, clock = promising.clocks(ticket)
    if clock is None or clock.kept_ms is not None:
        return None
    like, which = took.get(ticket.priority, []), f"of priority {ticket.priority} "
    if len(like) < LEAST:
        like, which = sorted(_all(took.values())), ""
    used = clock.used(milliseconds(now))
    found = chance(like, used, clock.promised_ms)
    expected = None
    if found.expected_ms is not None and clock.due() is not None:
        expected = moment(clock.time.due(milliseconds(now), max(0, found.expected_ms - used)))
    return Foreseen(ticket, found, expected, _because(found, which, used > clock.promised_ms))


def _all(lists: Iterable[list[int]]) -> list[int]:
    return [one for own in lists for one in own]


def _because(found: Chance, which: str, late: bool) -> str:
    if late:
        return "It is late already."
    tickets = f"{found.like} tickets {which}that the queue resolved in the last 30 days"
    if found.like < LEAST:
        return f"The queue has resolved {found.like} tickets {which}in the last 30 days: too few to foresee anything."
    if not found.lasted:
        return f"None of the {tickets} took as long as this one has already."
    return (
        f"Of {tickets}, {found.lasted} took at least as much working time as this one has so far, and {found.longer} of "
        "these more than is promised."
    )
