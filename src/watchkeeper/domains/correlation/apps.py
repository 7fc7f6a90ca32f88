"""Django's name for this domain, which hears of its own records."""

from __future__ import annotations

from django.apps import AppConfig


class Correlation(AppConfig):
    """See telling."""

    name = "watchkeeper.domains.correlation"

    def ready(self) -> None:
        """Hear what is done to rules and settings."""
        from watchkeeper.domains.correlation.telling import Changes
        from watchkeeper.kernel import events

        events.listeners.append(Changes())
