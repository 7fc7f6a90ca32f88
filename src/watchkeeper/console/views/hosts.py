"""Add a host: what it is to send, then the files for it with a key of its own, and a sign that turns green when something
arrives."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import ValidationError

from watchkeeper.console.hosts import adding
from watchkeeper.console.hosts.files import PLACEHOLDER, files
from watchkeeper.console.hosts.progress import progress
from watchkeeper.console.hosts.reach import Reach, reach
from watchkeeper.console.hosts.ways import WAYS, Asked
from watchkeeper.console.models import AddedHost
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import told
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError

RECENT = 10


@require_http_methods(["GET", "POST"])
@signed_in()
def add(request: HttpRequest) -> HttpResponse:
    """The questions; then the files, with the key that is shown once."""
    actor = _allowed(request)
    if request.method == "GET":
        chosen = request.GET.getlist("way") or ["otelcol"]
        return _questions(request, Asked.of(request.GET, chosen))  # type: ignore[arg-type]
    asked = Asked.of(request.POST, request.POST.getlist("ways"))  # type: ignore[arg-type]
    if wrong := asked.wrong():
        return _questions(request, asked, wrong)
    try:
        host, secret = adding.add(actor, asked)
    except ValidationError as error:
        return _questions(request, asked, {"address": "; ".join(words for _, words in told(error.detail))})
    except WatchkeeperError as error:
        return _questions(request, asked, {"": error.detail}, error.status)
    return _instructions(request, actor, host, secret)


@require_GET
@signed_in()
def added(request: HttpRequest, number: int) -> HttpResponse:
    """The same files later, without the key; or how far it has come, when htmx asks."""
    actor, host = _allowed(request), _host(number)
    if request.headers.get("HX-Target") == "arrived":
        return page(request, "hosts/arrived.html", **_progress(request, actor, host))
    return _instructions(request, actor, host, "")


def _allowed(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    require(actor, "create", registry["intake-keys"])
    return actor


def _host(number: int) -> AddedHost:
    found = AddedHost.objects.filter(pk=number).select_related("key", "job").first()
    if found is None:
        raise Http404
    return found


def _reach(request: HttpRequest) -> Reach:
    return reach(settings.CONFIG, request.build_absolute_uri("/"))


def _questions(
    request: HttpRequest, asked: Asked, wrong: dict[str, str] | None = None, status: int = 400
) -> HttpResponse:
    return page(
        request, "hosts/add.html", status=status if wrong else 200, title="Add a host", asked=asked, ways=WAYS.values(),
        wrong=wrong or {}, whole=(wrong or {}).get("", ""), reach=_reach(request),
        recent=AddedHost.objects.select_related("key")[:RECENT],
    )  # fmt: skip


def _instructions(request: HttpRequest, actor: Actor, host: AddedHost, secret: str) -> HttpResponse:
    asked, where = Asked(host.name, host.address, host.port, tuple(host.ways)), _reach(request)
    made = files(asked, where, secret)
    steps = [
        {"way": WAYS[name], "file": made.get(name, ""), "template": f"console/hosts/steps/{name}.html"}
        for name in asked.ways
    ]
    return page(
        request, "hosts/added.html", title=f"Add {host}", steps=steps, secret=secret, placeholder=PLACEHOLDER,
        **_progress(request, actor, host),
    )  # fmt: skip


def _progress(request: HttpRequest, actor: Actor, host: AddedHost) -> dict[str, Any]:
    return {"host": host, "progress": progress(actor, host), "reach": _reach(request)}
