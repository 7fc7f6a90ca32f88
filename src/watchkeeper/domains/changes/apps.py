"""Django's name for this domain, which hears of approvals from the start."""

from __future__ import annotations

from django.apps import AppConfig


class Changes(AppConfig):
    """See hearing."""

    name = "watchkeeper.domains.changes"

    def ready(self) -> None:
        """Hear events, and say what of a change is approved."""
        from watchkeeper.domains.approvals.binding import Bound, bound
        from watchkeeper.domains.changes import approving
        from watchkeeper.domains.changes.hearing import Decisions
        from watchkeeper.kernel import events

        bound["changes"] = Bound(approving.fingerprint_of, approving.again, approving.COLUMNS)
        events.listeners.append(Decisions())
