"""Django's name for this domain, which hears of its own records."""

from __future__ import annotations

from django.apps import AppConfig


class Methods(AppConfig):
    """See telling."""

    name = "watchkeeper.domains.methods"

    def ready(self) -> None:
        """Hear what is chosen."""
        from watchkeeper.domains.methods.telling import Changes
        from watchkeeper.kernel import events

        events.listeners.append(Changes())
