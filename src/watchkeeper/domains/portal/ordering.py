"""What people order in the portal. For customers it is what names their teams or organisations; for everybody else what
they can order anyway."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from watchkeeper.domains import access
from watchkeeper.domains.catalog import ordering
from watchkeeper.domains.catalog.models import CatalogItem, Order
from watchkeeper.domains.portal.own import person_of
from watchkeeper.kernel import lists
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import registry


def offered(actor: Actor, search: str = "") -> QuerySet[CatalogItem]:
    """What this person can order, by category and name; with all of these words."""
    person = person_of(actor)
    if access.is_customer(person):
        teams = person.teams.all()  # type: ignore[attr-defined]
        theirs = Q(teams__in=teams) | Q(organisations__in=teams.values("organisation"))
        found = CatalogItem.objects.filter(theirs)
    else:
        found = visible(actor, "catalog-items")
    found = lists.search(registry["catalog-items"], found, search)
    return found.filter(enabled=True).order_by("category", "name").distinct()


def item_of(actor: Actor, key: int) -> CatalogItem:
    """One of them. Raises NotThere, in the same words for one that is for others and for none."""
    found = offered(actor).filter(pk=key).first()
    if found is None:
        raise NotThere("there is nothing of this number to order")
    return found


def order(actor: Actor, item: CatalogItem, answers: dict[str, Any]) -> Order:
    """Order it for oneself. Raises ValidationError naming the questions, or Refused."""
    return ordering.order(actor, item, person_of(actor, writes=True), answers)
