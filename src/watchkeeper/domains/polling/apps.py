"""Django's name for this domain."""

from __future__ import annotations

from django.apps import AppConfig


class Polling(AppConfig):
    """See models."""

    name = "watchkeeper.domains.polling"
