"""What belongs to a site and to a service, for roles that somebody has for these alone: what stands in the site, and
what the service needs, followed through the graph as it is now."""

from __future__ import annotations

from django.db.models import Q

from watchkeeper.domains.inventory.impact import NEEDS, reach
from watchkeeper.domains.inventory.models import Item, Relation
from watchkeeper.model.topology import RelationKind

MOST = 5000  # items of one site or service
_HOPS = 12
SERVICES = ("service", "business_service", "application", "capability")


def of_site(names: frozenset[str]) -> frozenset[str]:
    """Sites of these names, and all that they contain."""
    edge = set(Item.objects.filter(name__in=names, kind="site").values_list("pk", flat=True))
    found = set(edge)
    contains = Relation.objects.filter(kind=RelationKind.CONTAINS, valid_to=None)
    for _ in range(_HOPS):
        edge = set(contains.filter(source__in=edge).values_list("target", flat=True)) - found
        found |= edge
        if not edge or len(found) > MOST:
            break
    return frozenset(found)


def of_service(names: frozenset[str]) -> frozenset[str]:
    """Services of these names, and all that they need."""
    found = set(Item.objects.filter(Q(kind__in=SERVICES), name__in=names).values_list("pk", flat=True))
    for service in sorted(found):
        found |= {r.id for r in reach(service, NEEDS, _HOPS, most=MOST).items}
    return frozenset(found)
