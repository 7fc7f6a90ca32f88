"""Search over situations, alerts and items at once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.tables import Row, cells
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.lists import search as matching
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import registry

SEARCHED = ("situations", "items", "alerts")
SHOWN = 10


@require_GET
@signed_in()
def search(request: HttpRequest) -> HttpResponse:
    """The first matches of each kind, with a link to all of them."""
    words = request.GET.get("q", "").strip()
    groups = []
    for path in SEARCHED if words else ():
        resource = registry[path]
        found = matching(resource, visible(actor_of(request), resource), words)[: SHOWN + 1]
        rows = [Row(r, resource, cells(resource, r)) for r in found]
        if rows:
            groups.append((resource, rows[:SHOWN], len(rows) > SHOWN))
    return page(request, "search.html", title="Search", query=words, groups=groups)
