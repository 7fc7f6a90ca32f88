"""Django's name for this domain, which hears of situations from the start."""

from __future__ import annotations

from django.apps import AppConfig


class OnCall(AppConfig):
    """See paging.hearing."""

    name = "watchkeeper.domains.oncall"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.oncall.paging.hearing import Situations
        from watchkeeper.kernel import events

        events.listeners.append(Situations())
