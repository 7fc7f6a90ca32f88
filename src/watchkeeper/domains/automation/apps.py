"""Django's name for this domain, which hears events from the start."""

from __future__ import annotations

from django.apps import AppConfig


class Automation(AppConfig):
    """See hearing."""

    name = "watchkeeper.domains.automation"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.automation.hearing import Rules
        from watchkeeper.kernel import events

        events.listeners.append(Rules())
