"""The catalogue: what can be ordered, the form of an order, and what somebody has ordered."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import strip_tags
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import ValidationError

from watchkeeper.console import ordering
from watchkeeper.console.catalog import progress
from watchkeeper.console.fields import Field
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.annotations.notes import as_html
from watchkeeper.domains.catalog import forms
from watchkeeper.domains.catalog.models import CatalogItem
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.lists import search
from watchkeeper.kernel.permissions import may, require, visible
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

_SHOWN = 50
_FOR, _PREFIX = "person", "q-"


@require_GET
@signed_in()
def catalog(request: HttpRequest) -> HttpResponse:
    """What this reader can order, by category; with `q` what has these words."""
    actor = actor_of(request)
    require(actor, "read", registry["catalog-items"])
    found, words = visible(actor, "catalog-items").filter(enabled=True), request.GET.get("q", "").strip()
    listed = search(registry["catalog-items"], found, words).order_by("category", "name").distinct()
    return page(
        request, "catalog.html", title="Catalogue", words=words,
        categories=[(name, list(items)) for name, items in groupby(map(summed_up, listed), lambda i: i.category)],
        keeps=may(actor, "create", registry["catalog-items"]),
    )  # fmt: skip


def summed_up(item: CatalogItem) -> CatalogItem:
    """With its description without marks, as `summary`."""
    item.summary = strip_tags(as_html(item.description))  # type: ignore[attr-defined]
    return item


@require_http_methods(["GET", "POST"])
@signed_in()
def order(request: HttpRequest, key: int) -> HttpResponse:
    """The form of an order; then the order."""
    actor, resource = actor_of(request), registry["orders"]
    item = visible(actor, "catalog-items").filter(pk=key, enabled=True).first()
    if item is None:
        raise Http404
    if request.method == "GET":
        return _form(request, item, {}, {}, request.GET.get("for", ""))
    answers, person = ordering.answered(item.form, request.POST), request.POST.get(_FOR, "").strip()
    body = {"item": item.pk, "answers": answers, **({"person": person} if person else {})}
    given: Any = serializer_of(resource)(data=body, context={"request": request, "actor": actor})
    try:
        given.is_valid(raise_exception=True)
        made = doing.create(resource, actor, given)
    except Forbidden:
        raise
    except (ValidationError, WatchkeeperError) as error:
        return _form(request, item, answers, _wrong(item, answers, error), person)
    return HttpResponseRedirect(f"/orders/{made.pk}/")


def _wrong(item: CatalogItem, answers: dict[str, Any], error: Exception) -> dict[str, str]:
    """What is wrong, by the name of its question; "" for what is about none."""
    found = forms.wrong(item.form, forms.completed(item.form, answers))
    detail: Any = getattr(error, "detail", "")
    if isinstance(detail, dict) and _FOR in detail:
        found[_FOR] = " ".join(map(str, detail[_FOR]))
    return found or {"": str(detail)}


def _form(
    request: HttpRequest, item: CatalogItem, answers: dict[str, Any], wrong: dict[str, str], person: str
) -> HttpResponse:
    whom = Field(
        _FOR, "For", "text", "a user name; empty: for yourself", value=person, error=wrong.get(_FOR, "")
    )
    return page(
        request, "order.html", status=400 if wrong else 200, title=item.name, item=item,
        description=as_html(item.description), error=wrong.get("", ""),
        fields=[*ordering.inputs(item.form, answers, wrong), whom],
        approvals=[a.name for a in item.approvals.all()],
    )  # fmt: skip


@require_GET
@signed_in()
def mine(request: HttpRequest) -> HttpResponse:
    """What was ordered by this reader or for them, with how far it is; what they have; what they have to do."""
    actor = actor_of(request)
    person = actor.person
    orders = visible(actor, "orders").filter(Q(person=person) | Q(ordered_by=person))[:_SHOWN]
    return page(
        request, "my_requests.html", title="My requests", orders=[(o, progress(o.ticket)) for o in orders],
        leases=visible(actor, "leases").filter(holder=person).exclude(state="ended")[:_SHOWN], tasks=_tasks(actor),
    )  # fmt: skip


def _tasks(actor: Actor) -> Any:
    mine = Q(person=actor.person) | Q(person=None, team__in=actor.person.teams.all())
    found = visible(actor, "request-tasks").filter(mine, state__in=("open", "in_progress", "failed"))
    return [t for t in found.distinct()[:_SHOWN] if not t.waits_for]
