"""Signing in and out: by name and password, and the first time by a link that works once."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import access, identity
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import address_of
from watchkeeper.model.errors import WatchkeeperError


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        wanted = "/"
    if request.method == "GET":
        return page(request, "sign_in.html", title="Sign in", next=wanted)
    name, password = request.POST.get("username", ""), request.POST.get("password", "")
    try:
        user = identity.sign_in(name, password, address_of(request))
    except WatchkeeperError as error:
        shown = {"title": "Sign in", "next": wanted, "username": name, "error": error.detail}
        return page(request, "sign_in.html", status=error.status, **shown)
    login(request, user)
    return HttpResponseRedirect(_home(user) if wanted == "/" else wanted)


def _home(user: User) -> str:
    """What they chose to begin with, else what their role does."""
    return identity.preference_of(user).home or access.home_of(user)


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
    login(request, user)
    return HttpResponseRedirect("/")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect("/sign-in/")


@signed_in()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password."""
    if request.method == "GET":
        return page(request, "password.html", title="Change your password")
    try:
        identity.change_password(request.user, request.POST.get("old", ""), request.POST.get("new", ""))
    except WatchkeeperError as error:
        return page(
            request, "password.html", status=error.status, title="Change your password", error=error.detail
        )
    login(request, request.user)
    return page(request, "password.html", title="Change your password", done=True)
