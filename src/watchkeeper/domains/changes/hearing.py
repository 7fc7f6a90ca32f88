"""Hears how approvals of changes were decided."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from watchkeeper.domains.changes import approving, rules
from watchkeeper.domains.changes.models import Change
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.states import Transition, move

_APPROVE = Transition("approve", "", (rules.WAITING,), rules.APPROVED)


class Decisions:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Approval requests."""
        return {"approval-requests"} & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """A change that waits is approved, or goes back to its author."""
        said = [
            self._about(e)
            for e in events
            if e.record.get("kind") == "changes" and e.act in ("approve", "decline")
        ]
        return "; ".join(filter(None, said))

    def _about(self, event: Event) -> str:
        change = Change.objects.filter(pk=event.record["record"], status=rules.WAITING).first()
        if change is None:
            return ""
        if event.act == "decline":
            move("status", approving.TO_DRAFT, SYSTEM, change)
        elif approving.still_holds(change):
            move("status", _APPROVE, SYSTEM, change)
        return f"{change.number}: {event.act}d"
