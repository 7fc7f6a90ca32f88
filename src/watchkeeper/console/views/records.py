"""Lists, pages and forms of any kind of record, from its Resource declaration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework.exceptions import ValidationError

from watchkeeper.console import attached, surroundings
from watchkeeper.console.facts import facts
from watchkeeper.console.fields import Field, fields_of, read
from watchkeeper.console.panels import panels
from watchkeeper.console.tables import Row, cells, filter_boxes
from watchkeeper.console.views.page import page, signed_in, trouble
from watchkeeper.domains.inventory.models import Item
from watchkeeper.exchange.planning import takes_imports
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.lists import cut, narrow
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.permissions import may, require, visible
from watchkeeper.kernel.problems import Forbidden, Refused
from watchkeeper.kernel.resource import Action, Resource, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

#: kinds whose page shows more than the declaration says: its template, and what that needs
SPECIAL: dict[str, tuple[str, Callable[[Any, Actor], dict[str, Any]]]] = {
    "audit": ("record.html", surroundings.of_audit),
    "alerts": ("alert.html", surroundings.of_alert),
    "items": ("item.html", surroundings.of_item),
}

ROWS = 50  # of a page


def kind(request: HttpRequest, path: str, action: str = "read") -> Resource:
    """The kind at this path. Raises Http404, or Forbidden when this may not be done with any of its records."""
    try:
        resource = registry[path]
    except KeyError:
        raise Http404 from None
    require(actor_of(request), action, resource)
    return resource


def _record(request: HttpRequest, resource: Resource, key: str) -> Any:
    try:
        return visible(actor_of(request), resource).get(pk=key)
    except (resource.model.DoesNotExist, ValueError) as error:  # type: ignore[attr-defined]
        raise Http404 from error


def asked(request: HttpRequest, resource: Resource) -> dict[str, str]:
    """The list's parameters: what the address says, else what the kind's list begins with."""
    given = {k: v for k, v in request.GET.items() if v and k != "page"} or dict(resource.default_filters)
    return {k: v for k, v in given.items() if k != "all"}


class Pager(Paginator):  # type: ignore[type-arg]
    """Pages of the table, cut as the API cuts its lists."""

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]
        """Raises InvalidPage."""
        number = self.validate_number(number)
        return Page(cut(self.object_list, (number - 1) * self.per_page, self.per_page), number, self)


@require_GET
@signed_in()
def table(request: HttpRequest, path: str) -> HttpResponse:
    """The list: searched, filtered, ordered and paged on the server."""
    resource = kind(request, path)
    given = asked(request, resource)
    found = narrow(resource, visible(actor_of(request), resource), given)
    shown = Pager(found, ROWS).get_page(request.GET.get("page"))
    columns, rows = attached.with_extras(resource, [Row(r, resource, cells(resource, r)) for r in shown])
    context = {
        "title": capfirst(resource.plural),
        "resource": resource,
        "rows": rows,
        "columns": columns,
        "shown": shown,
        "boxes": filter_boxes(
            resource, given, visible(actor_of(request), resource, resource.model._default_manager.all())
        ),
        "given": given,
        "ordering": given.get("ordering", ""),
        "can_create": "create" in resource.allow and may(actor_of(request), "create", resource),
        "can_import": takes_imports(resource) and may(actor_of(request), "create", resource),
    }
    part = "parts/table.html" if request.headers.get("HX-Target") == "table" else "records.html"
    return page(request, part, **context)


@require_GET
@signed_in()
def record(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """One record: its facts, what is related, what can be done, its history."""
    resource = kind(request, path)
    obj = _record(request, resource, key)
    if own := getattr(obj, "declared", "") if path == "items" else "":
        return HttpResponseRedirect(f"/{own}/{key}/")
    return _page(request, resource, obj)


def _page(request: HttpRequest, resource: Resource, obj: Any) -> HttpResponse:
    actor = actor_of(request)
    related = []
    for other_path, find in resource.related.items():
        other = registry[other_path]
        if not may(actor, "read", other):
            continue
        found = visible(actor, other, find(obj))
        rows = found if other.prepare is None else other.prepare(found)
        related.append((other, [Row(r, other, cells(other, r)) for r in rows[:20]], found.count()))
    context = {
        "title": resource.title(obj),
        "resource": resource,
        "record": obj,
        "facts": facts(resource, obj),
        "pending": "pending" in request.GET,
        "related": related,
        "actions": _offered(resource, obj, actor),
        "history": AuditEntry.objects.filter(kind=resource.model._meta.verbose_name, record=str(obj.pk))[:30],
        "panels": panels(request, resource, obj),
        "can_change": "change" in resource.allow and may(actor, "change", resource, obj),
        "can_remove": "remove" in resource.allow and may(actor, "remove", resource, obj),
    }
    path = "items" if issubclass(resource.model, Item) else resource.path
    template, more = SPECIAL.get(path, ("record.html", None))
    context |= more(obj, actor) if more else {}
    context["related"] = [r for r in related if r[0].path not in context.get("in_words", ())]
    return page(request, template, **context)


def _offered(resource: Resource, obj: Any, actor: Actor) -> list[tuple[Action, list[Field]]]:
    offered = (a for a in resource.actions if a.offered(obj) and may(actor, a.name, resource, obj))
    return [(a, fields_of(a.fields)) for a in offered]


@require_http_methods(["GET", "POST"])
@signed_in()
def new(request: HttpRequest, path: str) -> HttpResponse:
    """A form for a new record; a secret that is shown once is shown here."""
    resource = kind(request, path, "create")
    if "create" not in resource.allow:
        raise Refused(f"A {resource.name} cannot be made here.")
    serializer = serializer_of(resource)
    names = (*resource.writable, *resource.create_only)
    fields = [f for f in fields_of(serializer) if f.name in names]
    own = attached.inputs(resource)
    context: dict[str, Any] = {
        "title": f"New {resource.name}",
        "resource": resource,
        "fields": fields,
        "own": own,
    }
    if request.method == "GET":
        context["fields"] = [replace(f, value=request.GET.get(f.name, f.value)) for f in fields]
        return page(request, "form.html", **context)
    typed = {
        **read(fields, request.POST),
        **({"custom_fields": attached.typed(own, request.POST)} if own else {}),
    }
    given = serializer(data=typed, context={"request": request})
    try:
        given.is_valid(raise_exception=True)
        made = doing.create(resource, actor_of(request), given)
    except Forbidden:
        raise
    except (ValidationError, WatchkeeperError) as error:
        context["fields"] = [f.filled(request.POST, error) for f in fields]
        context["own"] = attached.said(own, request.POST, error)
        context["error"] = getattr(error, "detail", "") if isinstance(error, WatchkeeperError) else ""
        return page(request, "form.html", status=400, **context)
    once = getattr(made, "shown_once", {})
    if once:
        return page(
            request, "once.html", title=f"{resource.title(made)} is made", resource=resource, once=once
        )
    key = "" if made._state.adding else f"{made.pk}/"  # one on its way through the journal has no page yet
    return HttpResponseRedirect(f"/{resource.path}/{key}")


@require_POST
@signed_in()
def act(request: HttpRequest, path: str, key: str, name: str) -> HttpResponse:
    """Do something with a record, then show it again."""
    resource = kind(request, path)
    obj = _record(request, resource, key)
    action = resource.action(name)
    if action is None:
        raise Http404
    actor = actor_of(request)
    require(actor, action.name, resource, obj)
    if not action.offered(obj):
        raise Refused(f"{resource.title(obj)} has changed meanwhile; look at it again.")
    here, data = f"/{resource.path}/{key}/", dict[str, Any]()
    if action.fields is not None:
        fields = fields_of(action.fields)
        given = action.fields(data=read(fields, request.POST))
        if not given.is_valid():
            first = next(iter(given.errors.items()))
            said = f"{first[0].capitalize()}: {' '.join(map(str, first[1]))}"
            return trouble(request, 400, f"{action.label}: not done", said, back=here)
        data = given.validated_data
    try:
        done = doing.act(resource, action, actor, obj, data)
    except WatchkeeperError as error:
        return trouble(request, error.status, f"{action.label}: not done", error.detail, back=here)
    if done.body is not None and "shown_once" in done.body:
        return page(
            request, "once.html", title=resource.title(obj), resource=resource, once=done.body["shown_once"]
        )
    note = "?pending" if done.pending else ""
    return HttpResponseRedirect(f"{here}{note}")


@require_POST
@signed_in()
def remove(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Remove a record after the page has asked for confirmation."""
    resource = kind(request, path)
    if "remove" not in resource.allow:
        raise Refused(f"A {resource.name} cannot be removed here.")
    doing.remove(resource, actor_of(request), _record(request, resource, key))
    return HttpResponseRedirect(f"/{resource.path}/")
