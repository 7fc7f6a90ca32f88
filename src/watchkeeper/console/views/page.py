"""What every page shares: who may see it, the navigation, and how an error looks to a person."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from watchkeeper.domains.situations.live import open_count
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.model.errors import WatchkeeperError

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    label: str
    icon: str
    url: str
    heading: str = ""
    key: str = ""
    live: bool = False
    active: bool = False
    scope: Scope = Scope.READ


def navigation(path: str, scope: Scope) -> list[Entry]:
    """The navigation as this reader may see it, with the entry of this page marked."""
    entries = (
        Entry("Overview", "gauge", reverse("console:home"), key="o"),
        Entry("Situations", "alert", "/situations/", "Now", key="s", live=True),
        Entry("Alerts", "bell", "/alerts/", key="a"),
        Entry("Silences", "bell-off", "/silences/"),
        Entry("All kinds", "list", "/inventory/", "Inventory", key="k"),
        Entry("Items", "server", "/items/", key="i"),
        Entry("Service map", "graph", reverse("console:map"), key="g"),
        Entry("Metrics", "chart", reverse("console:metrics"), "Explore", key="m"),
        Entry("Logs", "log", reverse("console:logs"), key="l"),
        Entry("Doors", "door", reverse("console:doors"), "Platform", key="d"),
        Entry("Intake keys", "key", "/intake-keys/", scope=Scope.ADMIN),
        Entry("API tokens", "key", "/tokens/", scope=Scope.ADMIN),
        Entry("Notifications", "send", "/notification-rules/", scope=Scope.ADMIN),
        Entry("Audit", "history", "/audit/", scope=Scope.ADMIN),
    )

    def here(entry: Entry) -> bool:
        return path == entry.url if entry.url == "/" else path.startswith(entry.url)

    return [replace(e, active=here(e)) for e in entries if scope >= e.scope]


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A whole page, or what htmx asked for of one."""
    actor = actor_of(request)
    shown = {
        "user": request.user,
        "actor": actor,
        "may_write": actor.may(Scope.WRITE),
        "navigation": navigation(request.path, actor.scope),
        "open_situations": open_count() if request.user.is_authenticated else 0,
        "messages": [],
        **context,
    }
    return render(request, f"console/{template}", shown, status=status)


def signed_in(scope: Scope = Scope.READ) -> Callable[[View], View]:
    """Only for people who have signed in, with this scope; errors become pages that say what to do."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                back = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{reverse('console:sign-in')}?{back}")
            if not actor_of(request).may(scope):
                return trouble(
                    request, 403, "You may not see this", "Ask an administrator for the right to it."
                )
            try:
                return view(request, *args, **kwargs)
            except WatchkeeperError as error:
                return trouble(request, error.status, "That did not work", error.detail)

        return guarded

    return wrap


def trouble(request: HttpRequest, status: int, title: str, detail: str, back: str = "") -> HttpResponse:
    """A page that says what is wrong and where to go from here: to `back`, or the overview."""
    return page(request, "trouble.html", status=status, title=title, detail=detail, back=back)
