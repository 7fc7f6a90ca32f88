"""Keeps those informed whose tickets were merged into another: what is said on theirs reaches who works on the other, and
they learn when that is resolved. What others wrote there is not theirs to read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.conversation.saying import say
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.events import Event


def asker(ticket: Ticket) -> int | str:
    """Who asked for it, as far as that is known: an account's key, or what somebody without one is known by."""
    return ticket.requester_id or ticket.contact.lower()


def way(ticket: Ticket) -> list[Ticket]:
    """The ticket, and what it was merged into one after another; the last is the one that goes on."""
    found = [ticket]
    while (
        (into := found[-1].merged_into) is not None and found[-1].status in rules.OVER and into not in found
    ):
        found.append(into)
    return found


def merged(actor: Actor, one: Ticket, other: Ticket) -> None:
    """Agents see on the other what came to it; another requester is told on their own ticket."""
    words = f"{one.number} ({one.title}) was merged into this ticket."
    say(actor, other, words, public=False)
    if asker(one) != asker(other):
        words = "This is worked on together with another report of the same. You will hear of it here."
        say(SYSTEM, one, words, public=True)


def unmerged(actor: Actor, one: Ticket, other: Ticket) -> None:
    """Agents see on the other that it went; another requester is told on their own ticket."""
    words = f"{one.number} ({one.title}) goes on by itself: the merge was taken back."
    say(actor, other, words, public=False)
    if asker(one) != asker(other):
        say(SYSTEM, one, "This is worked on by itself again.", public=True)


def resolved(ticket: Ticket) -> None:
    """Other requesters of what was merged into it are told on their own tickets what was done."""
    for one in ticket.merged.order_by("pk"):
        if asker(one) not in ("", asker(ticket)):
            say(SYSTEM, one, f"It is resolved:\n\n{ticket.resolution}", public=True)


class OnMerged:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """What is said, while anything is merged."""
        wanted = {"ticket-messages"} & set(kinds)
        return wanted if wanted and Ticket.objects.filter(merged_into__isnull=False).exists() else ()

    def hear(self, events: Sequence[Event]) -> str:
        """Pass on what people say on merged tickets, as a note."""
        passed = sum(_pass_on(event) for event in events if event.act == "create")
        return f"{passed} passed on" if passed else ""


def _pass_on(event: Event) -> int:
    message = (
        TicketMessage.objects.select_related("ticket__merged_into", "author").filter(pk=event.key).first()
    )
    if message is None or message.ticket.merged_into is None or message.by == SYSTEM.name:
        return 0
    if message.ticket.closed_at is None or message.created_at < message.ticket.closed_at:
        return 0  # said before it was merged
    words = (
        f"{message.by} wrote on {message.ticket.number}, which was merged into this ticket:\n\n{message.body}"
    )
    mark = f"passed-on:{message.pk}"
    if TicketMessage.objects.filter(message_id=mark).exists():
        return 0
    say(SYSTEM, way(message.ticket)[-1], words, public=False, message_id=mark)
    return 1
