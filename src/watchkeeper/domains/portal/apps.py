"""Django's name for this domain, which hears of tickets that are done, to ask how it was."""

from __future__ import annotations

from django.apps import AppConfig


class Portal(AppConfig):
    """See surveying."""

    name = "watchkeeper.domains.portal"

    def ready(self) -> None:
        """Hear events, and know how to mail."""
        from watchkeeper.domains.portal.surveying import Done
        from watchkeeper.kernel import events

        events.listeners.append(Done())
