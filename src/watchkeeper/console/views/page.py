"""What every page shares: who may see it, the navigation, and how an error looks to a person."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from watchkeeper.console import keys
from watchkeeper.domains import access, federation, identity
from watchkeeper.domains.situations.live import open_count
from watchkeeper.kernel.acting import Actor, Scope, actor_of
from watchkeeper.kernel.permissions import PLATFORM_ACTS, may, require, visible
from watchkeeper.kernel.problems import BadQuery, Forbidden
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    group: str  # the heading that it stands under; "": above all
    label: str
    icon: str
    url: str
    kind: str | None = None  # of the records that it leads to; None: a page of the platform
    key: str = ""  # after "g"
    live: bool = False
    active: bool = False
    act: str = "read"

    def for_(self, actor: Actor) -> bool:
        """Whether there is something to see for this reader."""
        return self.url == "/" or may(actor, self.act, registry[self.kind] if self.kind else None)


@dataclass(frozen=True)
class Group:
    """Entries under a heading, which shows and hides them: what is needed daily is there at first."""

    heading: str
    entries: list[Entry]

    @property
    def open(self) -> bool:
        """Whether its entries are there before anybody has chosen, or because this page is one of them."""
        return self.heading not in _CLOSED or self.active

    @property
    def active(self) -> bool:
        """Whether this page is one of them."""
        return any(e.active for e in self.entries)


_CLOSED = ("Automation", "Administration")


def navigation(path: str, actor: Actor) -> list[Entry]:
    """The navigation as this reader may see it, with the entry of this page marked."""
    entries = (
        Entry("", "Overview", "gauge", reverse("console:home"), key="h"),
        Entry("", "Bookmarks", "star", reverse("console:bookmarks")),
        Entry("", "My access", "user", reverse("console:my-access"), "access-requests"),
        Entry("Now", "Situations", "alert", "/situations/", "situations", key="s", live=True),
        Entry("Now", "Alerts", "bell", "/alerts/", "alerts", key="a"),
        Entry("Now", "Silences", "bell-off", "/silences/", "silences"),
        Entry("Inventory", "All kinds", "list", "/inventory/", "items", key="k"),
        Entry("Inventory", "Items", "server", "/items/", "items", key="i"),
        Entry("Inventory", "Service map", "graph", reverse("console:map"), "relations", key="p"),
        Entry("Inventory", "Sources", "door", "/sources/", "sources"),
        Entry("Inventory", "Duplicates", "layers", "/duplicates/", "duplicates"),
        Entry("Signals", "Metrics", "chart", reverse("console:metrics"), key="m"),
        Entry("Signals", "Logs", "log", reverse("console:logs"), key="l"),
        Entry("Signals", "Doors", "door", reverse("console:doors"), key="d"),
        Entry("Signals", "MQTT", "door", "/mqtt-subscriptions/", "mqtt-subscriptions"),
        Entry("Automation", "Notifications", "send", "/notification-rules/", "notification-rules"),
        Entry("Automation", "Event rules", "bolt", "/event-rules/", "event-rules"),
        Entry("Automation", "Jobs", "hourglass", "/jobs/", "jobs"),
        Entry("Administration", "Tags", "tag", "/tags/", "tags"),
        Entry("Administration", "Custom fields", "list", "/custom-fields/", "custom-fields"),
        Entry("Administration", "Intake keys", "key", "/intake-keys/", "intake-keys"),
        Entry("Administration", "Payload mappings", "layers", "/payload-mappings/", "payload-mappings"),
        Entry("Administration", "SNMP users", "key", "/snmp-users/", "snmp-users"),
        Entry("Administration", "API tokens", "key", "/tokens/", "tokens"),
        Entry("Administration", "Access", "shield", reverse("console:access"), "policies"),
        Entry("Administration", "Audit", "history", "/audit/", "audit"),
    )

    def here(entry: Entry) -> bool:
        return path == entry.url if entry.url == "/" else path.startswith(entry.url)

    return [replace(e, active=here(e)) for e in entries if e.for_(actor)]


def grouped(entries: list[Entry]) -> list[Group]:
    """The navigation by its headings."""
    return [Group(heading, list(found)) for heading, found in groupby(entries, lambda e: e.group)]


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A whole page, or what htmx asked for of one."""
    actor = actor_of(request)
    preference = identity.preference_of(request.user) if request.user.is_authenticated else None  # type: ignore[arg-type]
    shown = {
        "user": request.user,
        "preference": preference,
        "actor": actor,
        "navigation": navigation(request.path, actor) if request.user.is_authenticated else [],
        "open_situations": open_count(visible(actor, "situations")) if request.user.is_authenticated else 0,
        "emergencies": access.active_emergencies(actor) if request.user.is_authenticated else [],
        "messages": [],
        **context,
    }
    shown["menu"] = grouped(shown["navigation"])
    shown["shortcuts"] = keys.shortcuts(shown["navigation"])
    with timezone.override(preference.zone or "UTC" if preference else "UTC"):
        return render(request, f"console/{template}", shown, status=status)


def signed_in(scope: Scope | None = None) -> Callable[[View], View]:
    """Only for people who have signed in; errors become pages that say what to do. With a scope, the page is
    one of the platform's, which shows no records and needs this scope."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                if request.headers.get("HX-Request"):  # the whole page asks them to sign in, not a part of it
                    return HttpResponse(status=401, headers={"HX-Refresh": "true"})
                back = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{reverse('console:sign-in')}?{back}")
            if _to_confirm(request):
                return HttpResponseRedirect(f"/account/confirm/?{urlencode({'next': _shown_at(request)})}")
            try:
                if scope is not None:
                    require(actor_of(request), PLATFORM_ACTS[scope], None)
                return view(request, *args, **kwargs)
            except Forbidden as error:
                return denied(request, error)
            except BadQuery as error:
                said = f"{capfirst(error.detail.partition('; there are:')[0])}."
                back = (
                    f"/{kwargs['path']}/?all=1" if "path" in kwargs else ""
                )  # what programs may ask is no help
                return trouble(request, error.status, "The list cannot be shown like this", said, back=back)
            except WatchkeeperError as error:
                return trouble(request, error.status, "That did not work", error.detail)

        return guarded

    return wrap


def _to_confirm(request: HttpRequest) -> bool:
    """Whether this is a sensitive act of somebody who signed in or confirmed too long ago."""
    match = request.resolver_match
    if match is None or match.kwargs.get("path") not in federation.SENSITIVE:
        return False
    changes = request.method == "POST" or match.url_name in ("new", "edit")
    return changes and not federation.confirmed(request)


def _shown_at(request: HttpRequest) -> str:
    """Where to go on: what was typed is lost, so at the page that it was typed in."""
    if request.method != "POST":
        return request.get_full_path()
    given = request.resolver_match.kwargs if request.resolver_match else {}
    if "key" in given and not request.path.endswith("/edit/"):
        return f"/{given['path']}/{given['key']}/"
    return request.path


def moment_asked(request: HttpRequest) -> dt.datetime | None:
    """The time as of which a page is asked for, None for now; what is not understood is as if it were not there."""
    try:
        at = parse_datetime(request.GET.get("at", ""))
    except ValueError:
        at = None
    return at if at is None or at.tzinfo else at.replace(tzinfo=dt.UTC)


def denied(request: HttpRequest, error: Forbidden) -> HttpResponse:
    """A page for somebody who may not do what they tried: what it was, and why not."""
    what = f"{error.more['action']} {error.more['kind']}".replace("-", " ")
    said = " ".join(error.because)
    return page(
        request, "trouble.html", status=403, title=f"You may not {what}", detail=said, back="", denied=True,
        roles=sorted(access.roles_of(request.user)),  # type: ignore[arg-type]
    )  # fmt: skip


def trouble(request: HttpRequest, status: int, title: str, detail: str, back: str = "") -> HttpResponse:
    """A page that says what is wrong and where to go from here: to `back`, or the overview."""
    return page(request, "trouble.html", status=status, title=title, detail=detail, back=back)
