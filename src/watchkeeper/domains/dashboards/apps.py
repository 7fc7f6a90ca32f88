"""Django's name for this domain, and the dashboards that are made on a start."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Dashboards(AppConfig):
    """See bringing."""

    name = "watchkeeper.domains.dashboards"

    def ready(self) -> None:
        """The ready dashboards, once the tables are there."""
        from watchkeeper.domains.dashboards.bringing import bring

        post_migrate.connect(bring, sender=self)
