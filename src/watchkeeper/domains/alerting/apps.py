"""Django's name for this domain, which hears of its own records."""

from __future__ import annotations

from django.apps import AppConfig


class Alerting(AppConfig):
    """See telling."""

    name = "watchkeeper.domains.alerting"

    def ready(self) -> None:
        """Hear what is done to rules."""
        from watchkeeper.domains.alerting.telling import Changes
        from watchkeeper.kernel import events

        events.listeners.append(Changes())
