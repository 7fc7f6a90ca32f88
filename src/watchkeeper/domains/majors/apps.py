"""Django's name for this domain, which hears of the health of services from the start."""

from __future__ import annotations

from django.apps import AppConfig


class Majors(AppConfig):
    """See components."""

    name = "watchkeeper.domains.majors"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.majors.components import Health
        from watchkeeper.kernel import events

        events.listeners.append(Health())
