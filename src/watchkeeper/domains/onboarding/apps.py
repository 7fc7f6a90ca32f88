"""Django's name for this domain, which finishes what its tasks were for."""

from __future__ import annotations

from django.apps import AppConfig


class Onboardings(AppConfig):
    """See starting."""

    name = "watchkeeper.domains.onboarding"

    def ready(self) -> None:
        """Finish with the last task, and hear of orders that were delivered."""
        from watchkeeper.domains.onboarding.hearing import Delivered
        from watchkeeper.kernel import events

        events.listeners.append(Delivered())
