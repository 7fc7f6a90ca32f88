"""Django's name for this domain."""

from __future__ import annotations

from django.apps import AppConfig


class Receiving(AppConfig):
    """See models."""

    name = "watchkeeper.domains.receiving"
