"""Django's name for this domain, which hears of tickets and messages from the start."""

from __future__ import annotations

from django.apps import AppConfig


class DeskMail(AppConfig):
    """See hearing."""

    name = "watchkeeper.domains.desk.mail"
    label = "desk_mail"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.desk.mail.hearing import Tickets
        from watchkeeper.kernel import events

        events.listeners.append(Tickets())
