"""The list of any kind of record: searched, filtered, ordered and paged on the server, with the columns that somebody
chose. Everything it shows is in its address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.views.decorators.http import require_GET

from watchkeeper.console import attached, causes, filters, ready_views, tagging
from watchkeeper.console.paging import Pager
from watchkeeper.console.tables import filter_boxes, rows
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.views.records import kind
from watchkeeper.domains.lists import asking, columns, templates
from watchkeeper.domains.lists.models import ListSetting, SavedView
from watchkeeper.exchange.planning import takes_imports
from watchkeeper.jobs.port import kinds
from watchkeeper.kernel import bulk, doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Column, Resource, registry

ROWS = 50  # of a page
HOSTS = ("items", "devices", "virtual-machines")  # lists that lead to adding a host
#: of the filter that is being added: its field, the look-up, the value, and that it is complete; fields have no hyphen
_ADDING = frozenset(("add", "add-by", "add-value", "add-value__named", "add-go"))
#: what another list that this page leads to does not go on with
_PASSING = _ADDING | {"page", "done", "all"}


def asked(request: HttpRequest, resource: Resource) -> MultiValueDict[str, str]:
    """The list's parameters: what the address says, else what the kind's list begins with."""
    own = {*_PASSING, "columns"} - {"all"}
    given = {k: request.GET.getlist(k) for k, v in request.GET.items() if v and k not in own}
    if not given:
        return asking.given(resource.default_filters)
    given.pop("all", None)
    if "tag" in given:  # several are all asked for, in one parameter, so that every link goes on with them
        given["tag"] = [",".join(given["tag"])]
    return MultiValueDict(given)


@require_GET
@signed_in()
def table(request: HttpRequest, path: str) -> HttpResponse:
    """The list, or what htmx asked for of it."""
    resource, actor = kind(request, path), actor_of(request)
    if "add-go" in request.GET and (further := _narrowed_further(request, resource, actor)):
        return HttpResponseRedirect(further)
    setting = asking.setting_of(resource, actor)
    if not request.GET and setting.view is not None and "HX-Request" not in request.headers:
        return HttpResponseRedirect(f"/{path}/?view={setting.view.pk}")
    given = asked(request, resource)
    views = asking.views_of(resource, actor)
    view = asking.view_of(resource, actor, given["view"]) if "view" in given else None
    shown = chosen_columns(request, resource, actor, setting, view)
    found = asking.narrowed(resource, actor, visible(actor, resource), given)
    paged = Pager(columns.joined(found, resource, shown), ROWS).get_page(request.GET.get("page"))
    whole, offered = _with_view(given, view), _bulk(resource, actor)
    going_on = [*given.items(), *_kept(request, given).items()]
    boxes = filter_boxes(resource, given, visible(actor, resource, resource.model._default_manager.all()))
    headed, drawn = shown, rows(resource, actor, shown, paged)
    if shown == list(resource.columns):  # who chose columns chose among these too
        headed, drawn = attached.with_extras(resource, drawn)
    else:
        headed, drawn = attached.with_custom(resource, shown, drawn)
    if path == "situations":
        drawn = causes.below_titles(drawn)
    context = {
        "title": capfirst(resource.plural),
        "resource": resource,
        "rows": drawn,
        "columns": _headings(resource, headed, going_on, whole.get("ordering", "")),
        "shown": paged,
        "any": bool(drawn) or visible(actor, resource, resource.model._default_manager.all()).exists(),
        "boxes": boxes,
        "given": given,
        "kept": [(n, v) for n, v in going_on if n != "search" and n not in {b.name for b in boxes}],
        "going_on": going_on,
        "chips": filters.chips(resource, actor, whole, _kept(request, whole)),
        "view": view,
        "views": views,
        "default_view": setting.view_id,
        "bulk": offered,
        "can_many": bool(offered["change"] or offered["remove"] or offered["actions"] or offered["annotate"]),
        "shown_columns": ",".join(c.name for c in shown) if shown != list(resource.columns) else "",
        "done": _done(request, resource),
        "adds_hosts": resource.path in HOSTS and may(actor, "create", registry["intake-keys"]),
        "can_create": doing.for_people(resource) and may(actor, "create", resource),
        "jobs": [
            k for k in kinds().values() if k.offered_on == path and may(actor, "create", registry["jobs"])
        ],
        "can_import": takes_imports(resource) and may(actor, "create", resource),
        "templates": templates.templates_of(resource, actor),
    }
    if request.headers.get("HX-Target") == "table":
        return page(request, "parts/table.html", **context)
    context["ready"] = ready_views.of(resource, actor, given)
    context |= _building(request, resource, actor) | _saving(actor, view, given)
    return page(request, "records.html", **context)


def chosen_columns(
    request: HttpRequest, resource: Resource, actor: Actor, setting: ListSetting, view: SavedView | None
) -> list[Column]:
    """What the address says, else the view, else what this person chose, else the declaration."""
    named = request.GET.get("columns", "")
    names = named.split(",") if named else (view.columns if view is not None else []) or setting.columns
    return columns.kept(resource, actor, names)


def _with_view(given: MultiValueDict[str, str], view: SavedView | None) -> MultiValueDict[str, str]:
    """The parameters with those of the view written out."""
    if view is None:
        return given
    whole = asking.asked_by(view)
    if view.ordering:
        whole["ordering"] = view.ordering
    whole.update({name: given[name] for name in given if name != "view"})
    return whole


def _kept(request: HttpRequest, whole: MultiValueDict[str, str]) -> dict[str, str]:
    return {"columns": request.GET["columns"]} if request.GET.get("columns") and whole else {}


def _headings(
    resource: Resource, shown: Sequence[Column], going_on: Sequence[tuple[str, str]], ordering: str
) -> list[dict[str, Any]]:
    """The columns with the address that orders by each, where that can be done: up, and then down."""
    allowed = {*resource.orderable, *(n.lstrip("-") for n in resource.ordering)}
    first = (ordering or ",".join(resource.ordering)).split(",")[0]
    out = []
    for column in shown:
        way = (
            "" if first.lstrip("-") != column.name else "descending" if first.startswith("-") else "ascending"
        )
        query = {**dict(going_on), "ordering": f"-{column.name}" if way == "ascending" else column.name}
        field = getattr(column, "field", None)  # of a column of a custom field
        orders = column.name in allowed or (field is not None and field.type != "choices")
        url = f"?{urlencode(query)}" if orders else ""
        out.append({"column": column, "url": url, "way": way})
    return out


def _bulk(resource: Resource, actor: Actor) -> dict[str, Any]:
    """What can be done with many here, by this reader."""
    return {
        "change": bulk.offers(resource, "change")
        and bool(resource.writable)
        and may(actor, "change", resource),
        "remove": bulk.offers(resource, "remove") and may(actor, "remove", resource),
        "annotate": tagging.offered(resource, actor),
        "actions": [a for a in bulk.actions(resource) if may(actor, a.name, resource)],
        "most": bulk.MOST,
    }


def _done(request: HttpRequest, resource: Resource) -> str:
    """What has just been done with many, in a sentence."""
    deed, _, count = request.GET.get("done", "").partition(":")
    action = resource.action(count.partition(":")[0]) if deed == "act" else None
    count = count.rpartition(":")[2]
    if not count.isdigit() or len(count) > 6:
        return ""
    what = f"{int(count):,} {resource.name if count == '1' else resource.plural}"
    acted = ""
    if action is not None:
        acted = f"{action.label}: {'on its way for' if doing.journaled(action.run) else 'done with'}"
    done = {"change": "Changed", "remove": "Removed", tagging.DEED: "Tagged"}.get(deed, acted)
    return f"{done} {what}." if done else ""


def _building(request: HttpRequest, resource: Resource, actor: Actor) -> dict[str, Any]:
    """The filter that is being added: first its field, then how it is compared and with what."""
    field, how = request.GET.get("add", ""), request.GET.get("add-by", "")
    found = filters.lookups(resource, field)
    lookup = next((one for one in found if one.parameter == how), found[0] if found else None)
    return {
        "fields": filters.choices(resource),
        "adding": field if found else "",
        "lookups": found,
        "lookup": lookup,
        "input": filters.value_input(resource, lookup, actor) if lookup else None,
    }


@require_GET
@signed_in()
def building(request: HttpRequest, path: str) -> HttpResponse:
    """The part of the page with which a filter is added, for another field or another comparison."""
    resource = kind(request, path)
    return page(
        request,
        "parts/filter_input.html",
        resource=resource,
        **_building(request, resource, actor_of(request)),
    )


def _narrowed_further(request: HttpRequest, resource: Resource, actor: Actor) -> str:
    """The address of the list with one filter more; "" when the filter is not complete."""
    lookup = filters.lookup_of(resource, request.GET.get("add-by", ""))
    value = (
        filters.value_of(filters.value_input(resource, lookup, actor), request.GET, actor) if lookup else ""
    )
    if lookup is None or not value:
        return ""
    query = {n: v for n, v in request.GET.items() if n not in _PASSING}
    if lookup.parameter == "tag":
        value = ",".join(dict.fromkeys([*request.GET.getlist("tag"), value]))
    return f"/{resource.path}/?{urlencode({**query, lookup.parameter: value})}"


def _saving(actor: Actor, view: SavedView | None, given: MultiValueDict[str, str]) -> dict[str, Any]:
    """What the form that saves the list as a view needs."""
    kinds = registry["saved-views"]
    own = view is not None and may(actor, "change", kinds, view)
    return {
        "can_save": actor.person is not None and may(actor, "create", kinds),
        "can_update": own,
        "teams": list(actor.person.teams.order_by("name")) if actor.person is not None else [],
        "list_query": _query(given),
    }


def _query(given: MultiValueDict[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update(given)
    return query.urlencode()
