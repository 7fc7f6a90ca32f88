"""Django's name for this domain, which hears of changes to what is to be approved."""

from __future__ import annotations

from django.apps import AppConfig


class Approvals(AppConfig):
    """See hearing."""

    name = "watchkeeper.domains.approvals"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.approvals.hearing import Changes
        from watchkeeper.kernel import events

        events.listeners.append(Changes())
