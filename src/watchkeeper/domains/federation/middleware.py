"""Holds whoever needs a second factor and has none at the pages where they get one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from watchkeeper.domains.federation.second_factor import MISSING
from watchkeeper.kernel.problems import answer

FACTORS = "/account/security/"
_OPEN = ("/account/", "/sign-out/", "/sign-in/", "/live/")  # the last keeps an open page from complaining


class SecondFactorMiddleware:
    """After Django's authentication. Tokens have no session, and pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Redirects people, and tells programs."""
        if not request.session.get(MISSING) or request.path.startswith(_OPEN):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return answer(
                403, "second_factor_missing", "your role needs a second factor: set one up in the console"
            )
        return HttpResponseRedirect(FACTORS)
