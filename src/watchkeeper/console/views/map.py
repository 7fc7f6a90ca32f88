"""The service map: what depends on what, as it holds now or held then; and the surroundings of one item."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console import graphs
from watchkeeper.console.views.page import moment_asked, page, signed_in
from watchkeeper.domains.inventory.impact import holding
from watchkeeper.domains.inventory.models import Item, Relation
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.resource import registry
from watchkeeper.model.topology import RelationKind

SERVICE_KINDS = (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON, RelationKind.MEMBER_OF)


@require_GET
@signed_in()
def service_map(request: HttpRequest) -> HttpResponse:
    """The page around the picture."""
    require(actor_of(request), "read", registry["relations"])
    return page(
        request, "map.html", title="Service map", everything="all" in request.GET, at=moment_asked(request)
    )


@require_GET
@signed_in()
def map_data(request: HttpRequest) -> HttpResponse:
    """Items that depend on others or are depended on; with `all` also hosts, disks and interfaces."""
    kinds = list(RelationKind) if "all" in request.GET else list(SERVICE_KINDS)
    actor = actor_of(request)
    seen = visible(actor, "relations", Relation.objects.all())
    relations = list(seen.filter(holding(moment_asked(request)), kind__in=kinds)[: graphs.LARGEST * 4])
    ends = {e for r in relations for e in (r.source_id, r.target_id)}
    items = visible(actor, "items", Item.objects.all())
    found = items.filter(pk__in=sorted(ends)[: graphs.LARGEST])
    return JsonResponse(graphs.picture(found, relations))


@require_GET
@signed_in()
def item_data(request: HttpRequest, key: str) -> HttpResponse:
    """What is one step away from an item."""
    items = visible(actor_of(request), "items", Item.objects.all())
    return JsonResponse(graphs.picture(*graphs.around([key], items, at=moment_asked(request)), causes=[]))
