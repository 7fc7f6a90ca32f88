"""Signing in and out: by name and password, the first time by a link that works once; and one's own account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login, logout, update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import access, federation, identity
from watchkeeper.domains.identity.signing_in import BACKEND
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import actor_of, address_of
from watchkeeper.model.errors import WatchkeeperError


def sign_in_page(request: HttpRequest, *, status: int = 200, **shown: Any) -> HttpResponse:
    """The sign-in page, with the providers that people can be sent to."""
    given = {"title": "Sign in", "next": "/", "offers": federation.offered(), **shown}
    return page(request, "sign_in.html", status=status, **given)


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it: a second step, or the session."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        wanted = "/"
    if request.method == "GET":
        return sign_in_page(request, next=wanted)
    name, password = request.POST.get("username", ""), request.POST.get("password", "")
    try:
        user = identity.sign_in(
            name, password, address_of(request), federation.directories(address_of(request))
        )
    except WatchkeeperError as error:
        return sign_in_page(request, status=error.status, next=wanted, username=name, error=error.detail)
    # Imported here: few requests are sign-ins.
    from allauth.account.internal.flows.login import perform_password_login
    from allauth.account.models import Login

    if request.user.is_authenticated:
        logout(request)
    return perform_password_login(request, {"username": name}, Login(user=user, redirect_url=wanted))


@require_http_methods(["GET", "POST"])
def first_link(request: HttpRequest, secret: str) -> HttpResponse:
    """The one-time link: it shows a form for name and password; the link is used up when that is sent."""
    try:
        identity.check_first_run(secret)
        if request.method == "GET":
            return page(request, "first_run.html", title="Welcome", username="admin")
        name, password = request.POST.get("username", ""), request.POST.get("password", "")
        user = identity.finish_first_run(secret, name, password, address_of(request))
    except WatchkeeperError as error:
        shown = {"title": "Welcome", "error": error.detail, "username": request.POST.get("username", "admin")}
        return page(request, "first_run.html", status=error.status, **shown)
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect("/")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect("/sign-in/")


@require_GET
def sign_out_elsewhere(request: HttpRequest, **_: str) -> HttpResponse:
    """Where our metadata says that a provider may send people who sign out there: to the page for signing out here."""
    return HttpResponseRedirect("/account/" if request.user.is_authenticated else "/sign-in/")


@signed_in()
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """One's own account: who one is, where one is signed in, and what one signs in with."""
    user: Any = request.user
    sessions = user.sessions.filter(expire_date__gt=timezone.now()).order_by("-last_seen_at")
    return page(
        request, "account.html", title="Your account", sessions=sessions, here=identity.own_key(request),
        factors=federation.factors_of(user), links=user.socialaccount_set.order_by("provider"),
        roles=sorted(access.roles_of(user)), teams=user.teams.order_by("name"),
    )  # fmt: skip


@signed_in()
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions, or all but this one."""
    user: Any = request.user
    key, here = request.POST.get("session", ""), identity.own_key(request)
    actor = actor_of(request)
    with transaction.atomic():
        if key:
            user.sessions.filter(pk=key).delete()
        else:
            identity.end_sessions(user, but=here)
        audit.record(actor, "session.revoke", user, after={"sessions": "one" if key else "all others"})
    return HttpResponseRedirect("/sign-in/" if key == here else "/account/")


@signed_in()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password."""
    if request.method == "GET":
        return page(request, "password.html", title="Change your password")
    try:
        old, new = request.POST.get("old", ""), request.POST.get("new", "")
        identity.change_password(request.user, old, new, session=identity.own_key(request))
    except WatchkeeperError as error:
        return page(
            request, "password.html", status=error.status, title="Change your password", error=error.detail
        )
    update_session_auth_hash(request, request.user)
    return page(request, "password.html", title="Change your password", done=True)
