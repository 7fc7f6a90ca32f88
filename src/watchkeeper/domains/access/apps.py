"""Django's name for this domain, and what is made on the first start."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Access(AppConfig):
    """See beginning."""

    name = "watchkeeper.domains.access"

    def ready(self) -> None:
        """Its guards, and what is made once the tables are there."""
        from watchkeeper.domains.access import guarding
        from watchkeeper.domains.access.beginning import begin

        guarding.connect()
        post_migrate.connect(begin, sender=self)
