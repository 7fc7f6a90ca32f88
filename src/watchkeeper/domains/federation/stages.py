"""The second step of a sign-in, for those who have a second factor."""

from __future__ import annotations

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from watchkeeper.domains.federation.adapters import vouched


class SecondFactor(AuthenticateStage):  # type: ignore[misc]
    """Not asked of whom a provider has asked already."""

    def _should_handle(self, request: HttpRequest) -> bool:
        return bool(super()._should_handle(request)) and not vouched(
            get_authentication_records(request, self.login.user)
        )
