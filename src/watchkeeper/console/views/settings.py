"""What somebody chooses for themselves, and the list of shortcuts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from watchkeeper.console.navigation import navigation
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import access, identity
from watchkeeper.domains.identity.models import Theme
from watchkeeper.kernel.acting import actor_of
from watchkeeper.model.errors import WatchkeeperError


@require_http_methods(["GET", "POST"])
@signed_in()
def settings(request: HttpRequest) -> HttpResponse:
    """Time zone, theme, single keys, the page to begin with."""
    actor, user = actor_of(request), request.user
    context: dict[str, Any] = {
        "title": "Your settings",
        "zones": identity.zones(),
        "themes": Theme.choices,
        "homes": [(e.url, e.label) for e in navigation(request.path, actor) if e.url != "/"],
        "roles": sorted(access.roles_of(actor.person)),
        "done": "done" in request.GET,
    }
    if request.method == "GET":
        return page(request, "settings.html", chosen=identity.preference_of(user), **context)
    given = {n: request.POST.get(n, "") for n in ("zone", "theme", "home")}
    chosen = {**given, "single_keys": "single_keys" in request.POST}
    try:
        identity.prefer(actor, user, chosen)
    except WatchkeeperError as error:
        return page(
            request, "settings.html", status=error.status, chosen=chosen, error=error.detail, **context
        )
    return HttpResponseRedirect("/settings/?done")


@require_POST
@signed_in()
def theme(request: HttpRequest) -> HttpResponse:
    """The theme alone, from the button on every page."""
    identity.prefer(actor_of(request), request.user, {"theme": request.POST.get("theme", "")})
    return HttpResponse(status=204)


@require_GET
@signed_in()
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Every shortcut, as on "?"."""
    return page(request, "shortcuts.html", title="Keyboard")
