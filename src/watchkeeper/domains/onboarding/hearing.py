"""Hears that an order was delivered which belongs to somebody's joining or moving: its task there is done; and that one
was declined or cancelled: it has failed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction

from watchkeeper.domains.catalog import tasks
from watchkeeper.domains.catalog.models import RequestTask
from watchkeeper.domains.onboarding import starting  # noqa: F401  (it registers what finishes them)
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import Event

_ENDS = {"deliver": "done", "decline": "fail", "cancel": "fail"}


class Delivered:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Orders."""
        return {"orders"} & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """Go on."""
        for event in events:
            if event.act in _ENDS:
                _end(event)
        return ""


def _end(event: Event) -> None:
    how = _ENDS[event.act]
    with transaction.atomic():
        waiting = RequestTask.objects.filter(
            given__order=int(event.key), does="", state__in=("open", "in_progress")
        )
        for task in waiting:
            tasks.transition(SYSTEM, task, how, note=f"The order is {event.record.get('state', event.act)}.")
