"""Django's name for this domain, and when the database is told to keep the index."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class Search(AppConfig):
    """See triggers."""

    name = "watchkeeper.domains.search"

    def ready(self) -> None:
        """The triggers stand aside while tables change, and are made anew when all of them are there."""
        pre_migrate.connect(_aside, sender=self)
        post_migrate.connect(_install, sender=self)


def _aside(plan: Any = (), **_: Any) -> None:
    from watchkeeper.domains.search import triggers

    if plan:
        triggers.drop()


def _install(**_: Any) -> None:
    from watchkeeper.domains.search import triggers

    triggers.install()
