"""Leads customers to the portal, and shows them nothing else of the platform: what is not named here is not there for them,
whatever it is. Tokens have no session; policies bind them (api/portal.py shows what the portal shows)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from watchkeeper.domains import access

PORTAL = "/portal/"
_OPEN = (PORTAL, "/api/portal/", "/api/tokens/", "/account/", "/password/", "/sign-in/", "/sign-out/")


class PortalGate:
    """After Django's authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """As everybody else, for everybody else."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Before any view looks at it. Raises Http404."""
        if request.path.startswith(_OPEN) or not _is_customer(request):
            return None
        if request.path == "/":
            return HttpResponseRedirect(PORTAL)
        raise Http404("there is nothing here for you")


def _is_customer(request: HttpRequest) -> bool:
    return request.user.is_authenticated and access.is_customer(request.user)
