"""Whom the catalogue's items are for: everybody, or the members of some teams and organisations. Who keeps the
catalogue sees all of it, who owns an item sees that."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry


def for_this_reader(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """Those of these catalogue items that this reader may see."""
    if may(actor, "create", registry["catalog-items"]):
        return found
    return found.filter(pk__in=found.model._default_manager.filter(_for(actor.person)).values("pk"))


def _for(person: Any) -> Q:
    everybody = Q(teams=None, organisations=None)
    if person is None:
        return everybody
    teams = person.teams.all()
    return (
        everybody | Q(owner=person) | Q(teams__in=teams) | Q(organisations__in=teams.values("organisation"))
    )


def of_items(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """Those approvals and tasks of the catalogue whose items this reader may see."""
    return found.filter(item__in=visible(actor, "catalog-items").order_by().values("pk"))
