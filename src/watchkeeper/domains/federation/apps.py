"""Django's name for this domain, and what it hears of second factors."""

from __future__ import annotations

from django.apps import AppConfig


class Federation(AppConfig):
    """See models."""

    name = "watchkeeper.domains.federation"

    def ready(self) -> None:
        """Listen."""
        from allauth.mfa import signals

        from watchkeeper.domains.federation import second_factor as on

        signals.authenticator_added.connect(on.on_added, dispatch_uid="watchkeeper-factor-added")
        signals.authenticator_removed.connect(on.on_removed, dispatch_uid="watchkeeper-factor-removed")
        signals.authenticator_reset.connect(on.on_reset, dispatch_uid="watchkeeper-factor-reset")
        signals.authentication_failed.connect(on.on_failed, dispatch_uid="watchkeeper-factor-failed")
