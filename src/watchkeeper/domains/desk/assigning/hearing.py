"""Hears of tickets that come into queues which give them by themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from watchkeeper.domains.desk.assigning import giving, rules
from watchkeeper.domains.desk.models import Queue
from watchkeeper.kernel.events import Event

_ACTS = ("create", "change", "open-incident", "reopen")


class NewTickets:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Tickets, while a queue gives them."""
        wanted = {"tickets"} & set(kinds)
        return wanted if wanted and Queue.objects.exclude(gives=rules.BY_HAND).exists() else ()

    def hear(self, events: Sequence[Event]) -> str:
        """Give those that are nobody's."""
        keys = dict.fromkeys(event.key for event in events if event.act in _ACTS)
        return ", ".join(filter(None, map(giving.of_queue, keys)))
