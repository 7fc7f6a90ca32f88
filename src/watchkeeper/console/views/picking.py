"""Records to choose from while somebody types: the few that match best, by name, of those that they may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import signed_in
from watchkeeper.console.views.records import kind
from watchkeeper.domains.identity.naming import people_called
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.lists import search
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource

SHOWN = 30


@require_GET
@signed_in()
def pick(request: HttpRequest, path: str) -> HttpResponse:
    """{"results": [{"id", "label", "hint"}], "more"} of the records in which every word occurs."""
    resource = kind(request, path)
    found = matching(
        resource, visible(actor_of(request), resource), request.GET.get("q", "").replace("\x00", "")
    )
    records = list(found[: SHOWN + 1])
    return JsonResponse(
        {"results": [_told(resource, r) for r in records[:SHOWN]], "more": len(records) > SHOWN}
    )


@require_GET
@signed_in()
def people(request: HttpRequest) -> HttpResponse:
    """{"results": [{"id", "label"}]}: user names, and what the people are called."""
    found = people_called(request.GET.get("q", "").replace("\x00", ""))[:SHOWN]
    return JsonResponse({"results": [{"id": u.username, "label": u.name} for u in found]})


def matching(resource: Resource, found: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Those whose words occur; those that begin with them need an index to be found first, so no order but the kind's."""
    if words.strip() and not resource.search:
        names = [f.name for f in resource.model._meta.concrete_fields if f.name in ("name", "username")]
        return found.filter(Q((f"{names[0]}__icontains", words.strip()))) if names else found.none()
    return search(resource, found, words).order_by(*resource.ordering)


def _told(resource: Resource, record: Any) -> dict[str, str]:
    """A record by its title, and by what its second column says to tell it from others of the same name."""
    hints = (c.value(record) for c in resource.columns[1:3] if not c.link)
    said = " · ".join(str(getattr(h, "value", h)) for h in hints if isinstance(h, str) and h)
    return {"id": str(record.pk), "label": resource.title(record), "hint": said}
