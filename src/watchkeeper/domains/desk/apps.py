"""Django's name for this domain, which hears of situations and agreements from the start."""

from __future__ import annotations

from django.apps import AppConfig


class Desk(AppConfig):
    """See hearing."""

    name = "watchkeeper.domains.desk"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.desk.assigning.hearing import NewTickets
        from watchkeeper.domains.desk.hearing import Agreements, Messages, Situations
        from watchkeeper.domains.desk.joining.informing import OnMerged
        from watchkeeper.domains.desk.mentioning import Mentions
        from watchkeeper.kernel import events

        events.listeners += [Situations(), Agreements(), Messages(), NewTickets(), Mentions(), OnMerged()]
