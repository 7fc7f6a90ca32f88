"""What somebody keeps of a list: its columns, and views of it under a name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import ValidationError

from watchkeeper.console import attached
from watchkeeper.console.views.listing import chosen_columns
from watchkeeper.console.views.page import page, signed_in, trouble
from watchkeeper.console.views.records import kind
from watchkeeper.domains.lists import asking, columns
from watchkeeper.domains.lists.models import ListSetting, SavedView
from watchkeeper.kernel import audit, doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.problems import Invalid, told
from watchkeeper.kernel.resource import Column, Resource, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

VIEWS = "saved-views"


@require_http_methods(["GET", "POST"])
@signed_in()
def choose_columns(request: HttpRequest, path: str) -> HttpResponse:
    """Which columns the list shows, and in which order. Buttons move one; the last saves or goes back to the usual."""
    resource, actor = kind(request, path), actor_of(request)
    setting = asking.setting_of(resource, actor)
    known = columns.offered(resource, actor)
    if request.method == "GET":
        word = request.GET.get("view", "")
        view = asking.view_of(resource, actor, word) if word else None
        chosen = chosen_columns(request, resource, actor, setting, view)
        if chosen == list(resource.columns):  # with those that the list shows beside them
            chosen += [known[n] for n in attached.in_lists(resource) if n in known]
    else:
        chosen = _moved(
            [known[n] for n in dict.fromkeys(request.POST.getlist("column")) if n in known], request
        )
        if "reset" in request.POST or "save" in request.POST:
            names = [] if "reset" in request.POST else [c.name for c in chosen]
            try:
                columns.checked(resource, actor, names)
            except Invalid as error:
                return trouble(request, error.status, "That did not work", error.detail, back=f"/{path}/")
            _keep(setting, actor, columns=names)
            return HttpResponseRedirect(_back(request, path, names))
    names = {c.name for c in chosen}
    return page(
        request, "columns.html", title=f"Columns of {resource.plural}", resource=resource, chosen=chosen,
        groups=_groups(resource, [c for c in known.values() if c.name not in names]), list_query=request.GET.urlencode(),
    )  # fmt: skip


def _moved(chosen: list[Column], request: HttpRequest) -> list[Column]:
    """With the one whose button was pressed a place higher or lower."""
    for word, step in (("up", -1), ("down", 1)):
        name = request.POST.get(word)
        place = next((n for n, c in enumerate(chosen) if c.name == name), None)
        if place is not None and 0 <= place + step < len(chosen):
            chosen[place], chosen[place + step] = chosen[place + step], chosen[place]
    return chosen


def _groups(resource: Resource, left: list[Column]) -> list[tuple[str, list[tuple[Column, str]]]]:
    """What is not chosen, with its heading within the group: the kind's own, then those of each kind it refers to."""
    groups: dict[str, list[tuple[Column, str]]] = {"": []}
    references = columns.referred(resource)
    for column in left:
        first, beyond, inner = column.name.partition("__")
        there = beyond and first in references
        short = columns.column_of(references[first], inner).heading if there else column.heading
        groups.setdefault(first if there else "", []).append((column, short))
    return [
        (
            name.replace("_", " ").capitalize() or resource.name.capitalize(),
            sorted(found, key=lambda c: c[1].lower()),
        )
        for name, found in groups.items()
        if found
    ]


def _back(request: HttpRequest, path: str, names: list[str]) -> str:
    """The list as it was, with these columns; said in the address only where a view has its own."""
    query = request.GET.copy()
    query.pop("columns", None)
    if "view" in query and names:
        query["columns"] = ",".join(names)
    return f"/{path}/?{query.urlencode()}" if query else f"/{path}/"


def _keep(setting: ListSetting, actor: Actor, **changed: Any) -> None:
    """Raises Invalid where there is no person to keep it for."""
    if setting.user_id is None:
        raise Invalid("only people keep what they choose")
    before = audit.state_of(setting) if setting.pk else None
    for name, value in changed.items():
        setattr(setting, name, value)
    setting.save()
    audit.record(actor, "list-setting.change", setting, before=before, after=audit.state_of(setting))


@require_POST
@signed_in()
def save_view(request: HttpRequest, path: str) -> HttpResponse:
    """The list as it is now becomes a view, or the new state of one (`into`)."""
    resource, actor = kind(request, path), actor_of(request)
    kinds, into = registry[VIEWS], None
    data = _as_shown(request, resource, actor)
    if request.POST.get("into"):
        into = asking.view_of(resource, actor, request.POST["into"])
    else:
        data |= {name: request.POST[name] for name in ("name", "sharing") if request.POST.get(name)}
        data |= {"kind": path, "team": request.POST.get("team") or None}
    given = serializer_of(kinds)(
        into, data=data, partial=into is not None, context={"request": request, "actor": actor}
    )
    try:
        given.is_valid(raise_exception=True)
        made = doing.create(kinds, actor, given) if into is None else doing.change(kinds, actor, into, given)
    except ValidationError as error:
        said = "; ".join(f"{name}: {words}" for name, words in told(error.detail))
        return trouble(request, 400, "The view is not saved", said, back=f"/{path}/")
    except WatchkeeperError as error:
        return trouble(request, error.status, "The view is not saved", error.detail, back=f"/{path}/")
    if request.POST.get("default"):
        _keep(asking.setting_of(resource, actor), actor, view=made)
    return HttpResponseRedirect(f"/{path}/?view={made.pk}")


def _as_shown(request: HttpRequest, resource: Resource, actor: Actor) -> dict[str, Any]:
    """What a view holds of the list: that of the view it came from, and what was asked beside it."""
    query = QueryDict(request.POST.get("query", ""))
    view: SavedView | None = asking.view_of(resource, actor, query["view"]) if query.get("view") else None
    filters = dict(view.filters) if view else {}
    filters |= {n: v for n, v in query.items() if v and n not in ("view", "search", "ordering")}
    shown = request.POST.get("columns", "")
    return {
        "filters": filters,
        "search": " ".join(filter(None, (view.search if view else "", query.get("search", "")))),
        "ordering": query.get("ordering") or (view.ordering if view else ""),
        "columns": shown.split(",") if shown else [],
    }


@require_POST
@signed_in()
def begin_with(request: HttpRequest, path: str) -> HttpResponse:
    """The list begins with this view from now on, or with none."""
    resource, actor = kind(request, path), actor_of(request)
    word = request.POST.get("view", "")
    view = asking.view_of(resource, actor, word) if word else None
    _keep(asking.setting_of(resource, actor), actor, view=view)
    return HttpResponseRedirect(f"/{path}/?view={view.pk}" if view else f"/{path}/?all=1")
