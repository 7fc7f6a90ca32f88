"""Lists by a saved view: which views somebody can use, the one that a name means, and a list narrowed by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.datastructures import MultiValueDict

from watchkeeper.domains.lists.models import ListSetting, SavedView, Sharing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.lists import narrow
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import Resource


def views_of(resource: Resource, actor: Actor) -> list[SavedView]:
    """Those of a list that the actor keeps, then those that others share, by name."""
    found = visible(
        actor, "saved-views", SavedView.objects.filter(kind=resource.path).select_related("owner")
    )
    if actor.person is not None:  # whoever may read everybody's views does not want them in every list
        found = found.filter(Q(owner=actor.person) | ~Q(sharing=Sharing.PRIVATE))
    mine = actor.person.pk if actor.person is not None else None
    return sorted(found, key=lambda v: (v.owner_id != mine, v.name.lower(), v.pk))


def view_of(resource: Resource, actor: Actor, word: str) -> SavedView:
    """The view of this name, the actor's own before those of others, or with this id. Raises BadQuery."""
    found = [v for v in views_of(resource, actor) if word in (v.name, str(v.pk))]
    mine = [v for v in found if actor.person is not None and v.owner_id == actor.person.pk]
    chosen = mine or found
    if not chosen:
        raise BadQuery(f"there is no view {word!r} of {resource.plural}", "view")
    if len(chosen) > 1:
        ids = ", ".join(f"{v.pk} of {v.owner or 'nobody'}" for v in chosen)
        raise BadQuery(f"several views are called {word!r}; give the id of one: {ids}", "view")
    return chosen[0]


def narrowed(
    resource: Resource, actor: Actor, found: QuerySet[Any], parameters: Mapping[str, str]
) -> QuerySet[Any]:
    """As kernel.lists.narrow; with `view` its records, narrowed further by the other parameters. Raises BadQuery."""
    if "view" not in parameters:
        return narrow(resource, found, parameters)
    further = given(parameters)
    view = view_of(resource, actor, further.pop("view")[-1])
    if view.ordering and not further.get("ordering"):
        further["ordering"] = view.ordering
    return narrow(resource, narrow(resource, found, asked_by(view)), further)


def asked_by(view: SavedView) -> MultiValueDict[str, str]:
    """What a view asks for, in the parameters of its list; without its order."""
    words = {"search": view.search} if view.search else {}
    return given({**view.filters, **words})


def given(parameters: Mapping[str, Any]) -> MultiValueDict[str, str]:
    """A copy that can be changed."""
    if isinstance(parameters, MultiValueDict):
        return MultiValueDict({name: parameters.getlist(name) for name in parameters})
    return MultiValueDict({name: [str(value)] for name, value in parameters.items()})


def setting_of(resource: Resource, actor: Actor) -> ListSetting:
    """What the person chose for this list; not saved yet where they chose nothing. Without a person: nothing."""
    person = actor.person
    found = None
    if person is not None:
        of = ListSetting.objects.select_related("view")
        found = of.filter(user_id=person.pk, kind=resource.path).first()
    return found or ListSetting(user_id=person.pk if person is not None else None, kind=resource.path)
