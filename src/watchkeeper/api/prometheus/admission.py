"""Who may ask, and how errors are told: a view lets in who may read, by token (bearer, or the password of Basic) or by
the console's session, and answers errors as Prometheus does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from watchkeeper.domains.identity.authentication import TokenAuthentication
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.model.errors import Malformed, Unauthorised, WatchkeeperError
from watchkeeper.telemetry.promql import QueryError

View = Callable[..., HttpResponse]
_KINDS = {400: "bad_data", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "bad_data",
          503: "unavailable", 504: "timeout"}  # fmt: skip


def answers(*methods: str) -> Callable[[Callable[..., Any]], View]:
    """Makes a view of a function of the given parameters (of the address and the form) that returns what `data` is to
    be. Asking changes nothing, so that no CSRF token is needed for POST."""

    def decorate(function: Callable[..., Any]) -> View:
        @csrf_exempt
        def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
            if request.method not in methods:
                return _failure(405, "bad_data", f"the method has to be {' or '.join(methods)}")
            try:
                require(_reader(request), "read", None)
                data = function(_parameters(request), **kwargs)
            except QueryError as error:
                return _failure(error.status, error.kind, error.detail)
            except WatchkeeperError as error:
                return _failure(error.status, _KINDS.get(error.status, "internal"), error.detail)
            return _sent(200, {"status": "success", "data": data})

        return view

    return decorate


def _reader(request: HttpRequest) -> Actor:
    """Who asks. Raises Unauthorised."""
    try:
        found = TokenAuthentication().authenticate(Request(request))
    except AuthenticationFailed as error:
        raise Unauthorised(str(error.detail)) from error
    if found is not None:
        request.user = found[0]  # type: ignore[assignment]
    elif not request.user.is_authenticated:
        raise Unauthorised("an API token is needed, as bearer or as the password of basic")
    return actor_of(request)


def _parameters(request: HttpRequest) -> QueryDict:
    given = request.GET.copy()
    if request.method == "POST":
        if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
            raise Malformed("the body has to be a form, application/x-www-form-urlencoded")
        given.update(request.POST)
    return given


def _failure(status: int, kind: str, text: str) -> HttpResponse:
    response = _sent(status, {"status": "error", "errorType": kind, "error": text})
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="watchkeeper"'
    return response


def _sent(status: int, document: dict[str, Any]) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(document), content_type="application/json", status=status)
