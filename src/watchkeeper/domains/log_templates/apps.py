"""Django's name for this domain, which hears of its own records."""

from __future__ import annotations

from django.apps import AppConfig


class LogTemplates(AppConfig):
    """See telling."""

    name = "watchkeeper.domains.log_templates"
    label = "log_templates"

    def ready(self) -> None:
        """Hear what is done to corrections."""
        from watchkeeper.domains.log_templates.telling import Changes
        from watchkeeper.kernel import events

        events.listeners.append(Changes())
