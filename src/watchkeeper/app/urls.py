"""Every address of the web process: the API's, then the console's, and what is said where there is none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from watchkeeper.kernel import problems

urlpatterns = [
    path("", include("watchkeeper.api.urls")),
    path("", include("watchkeeper.console.sign_in_urls")),
    path("", include("watchkeeper.console.urls")),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for people, a problem for programs."""
    if not _for_people(request):
        return problems.not_found(request, exception)
    from watchkeeper.console.views.page import trouble

    return trouble(request, 404, "There is nothing here", f"No page has the address {request.path}.")


def server_error(request: HttpRequest) -> HttpResponse:
    """A page for people, a problem for programs."""
    if not _for_people(request):
        return problems.server_error(request)
    from watchkeeper.console.views.page import trouble

    number = getattr(request, "id", "")
    return trouble(request, 500, "That is our fault", f"The log has what happened under request {number}.")


def _for_people(request: HttpRequest) -> bool:
    machine = request.path.startswith(("/api/", "/scim/", "/metrics", "/-/"))
    return not machine and hasattr(request, "user") and "text/html" in request.headers.get("Accept", "")


handler404 = "watchkeeper.app.urls.not_found"
handler500 = "watchkeeper.app.urls.server_error"
