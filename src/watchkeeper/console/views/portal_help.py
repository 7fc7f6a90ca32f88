"""The portal beside one's own tickets: what can be ordered, and what was written down for those who ask."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import ValidationError

from watchkeeper.console import ordering as inputs
from watchkeeper.console.views.catalog import summed_up
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.views.portal import has_console, shown
from watchkeeper.domains.annotations import as_html
from watchkeeper.domains.catalog import forms
from watchkeeper.domains.catalog.models import CatalogItem
from watchkeeper.domains.portal import helping, ordering
from watchkeeper.kernel.acting import actor_of
from watchkeeper.model.errors import WatchkeeperError

_ARTICLES = 50


@require_GET
@signed_in()
def catalog(request: HttpRequest) -> HttpResponse:
    """What this person can order, by category."""
    words = request.GET.get("q", "").strip()[:200]
    found = map(summed_up, ordering.offered(actor_of(request), words))
    categories = [(name, list(items)) for name, items in groupby(found, lambda i: i.category)]
    return _shared(request, "catalog.html", title="Catalogue", words=words, categories=categories)


@require_http_methods(["GET", "POST"])
@signed_in()
def order(request: HttpRequest, key: int) -> HttpResponse:
    """The form of an order; then the ticket that follows it."""
    actor = actor_of(request)
    item = ordering.item_of(actor, key)
    if request.method == "GET":
        return _form(request, item, {}, {})
    answers = inputs.answered(item.form, request.POST)
    try:
        made = ordering.order(actor, item, answers)
    except (ValidationError, WatchkeeperError) as error:
        wrong = forms.wrong(item.form, forms.completed(item.form, answers))
        return _form(request, item, answers, wrong or {"": str(error.detail)})
    return HttpResponseRedirect(f"/portal/tickets/{made.ticket.number}/")


def _form(
    request: HttpRequest, item: CatalogItem, answers: dict[str, Any], wrong: dict[str, str]
) -> HttpResponse:
    return _shared(
        request, "order.html", 400 if wrong else 200, title=item.name, item=item, description=as_html(item.description),
        error=wrong.get("", ""), fields=inputs.inputs(item.form, answers, wrong),
        approvals=[a.name for a in item.approvals.order_by("position", "id")],
    )  # fmt: skip


def _shared(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page that the console has too, with the portal's addresses."""
    at = {"catalog_at": "console:portal-catalog", "order_at": "console:portal-order"}
    return page(
        request, template, status=status, portal=True, has_console=has_console(request), **at, **context
    )


@require_GET
@signed_in()
def articles(request: HttpRequest) -> HttpResponse:
    """What was written for customers and for everybody; with all of these words."""
    words = request.GET.get("q", "").strip()[:200]
    found = helping.narrowed(words)
    return shown(
        request, "articles.html", title="Help", words=words, articles=found[:_ARTICLES],
        more=found.count() > _ARTICLES,
    )  # fmt: skip
