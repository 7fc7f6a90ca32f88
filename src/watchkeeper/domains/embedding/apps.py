"""Django's name for this domain, which hears what is done to records that it keeps vectors of."""

from __future__ import annotations

from django.apps import AppConfig


class Embedding(AppConfig):
    """See hearing."""

    name = "watchkeeper.domains.embedding"

    def ready(self) -> None:
        """Hear events."""
        from watchkeeper.domains.embedding.hearing import Changes
        from watchkeeper.kernel import events

        events.listeners.append(Changes())
