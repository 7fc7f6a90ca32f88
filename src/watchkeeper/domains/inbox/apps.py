"""Django's name for this domain, which hears events from the start."""

from __future__ import annotations

from django.apps import AppConfig


class Inbox(AppConfig):
    """See telling."""

    name = "watchkeeper.domains.inbox"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.inbox.telling import Subscribers
        from watchkeeper.kernel import events

        events.listeners.append(Subscribers())
