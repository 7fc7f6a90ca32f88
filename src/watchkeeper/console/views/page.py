"""What every page shares: who may see it, what stands around it, and how an error looks to a person."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from watchkeeper.console import keys
from watchkeeper.console.navigation import grouped, navigation
from watchkeeper.domains import access, federation, identity
from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.situations.live import open_count
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.permissions import PLATFORM_ACTS, require, visible
from watchkeeper.kernel.problems import BadQuery, Forbidden
from watchkeeper.model.errors import WatchkeeperError

View = Callable[..., HttpResponse]


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
        "portal": request.user.is_authenticated and access.is_customer(request.user),
        **context,
    }
    shown["menu"] = grouped(shown["navigation"])
    shown["shortcuts"] = keys.shortcuts(shown["navigation"])
    with timezone.override(preference.zone or "UTC" if preference else "UTC"):
        return render(request, f"console/{template}", shown, status=status)


def back_to(request: HttpRequest, asked: QueryDict) -> str:
    """The page that led here, where it said so in `back` and is one of ours; else ""."""
    back = asked.get("back", "")
    return back if back and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) else ""


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


def with_files(view: View) -> View:
    """A view for people who have signed in, with whose form files may come. The body is read only once their receiver is
    set; then the form is asked for its token."""
    checked = csrf_protect(view)

    @csrf_exempt
    @signed_in()
    @functools.wraps(view)
    def receiving(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with filing.receiving(request):
            answer: HttpResponse = checked(request, *args, **kwargs)
        return answer

    return receiving


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
