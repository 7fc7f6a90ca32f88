"""Search over every kind of record: the page, and what the palette asks while somebody types."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.palette import places as all_places
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.wording import called
from watchkeeper.domains import search as searching
from watchkeeper.kernel.acting import actor_of

SHOWN = 50
OFFERED = 8  # in the palette


@require_GET
@signed_in()
def search(request: HttpRequest) -> HttpResponse:
    """The nearest matches of all kinds, or of one, with the number of every kind's."""
    words, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    found = searching.find(actor_of(request), words, limit=SHOWN)
    # The counts stay those of all kinds, so that one can go from one to the next.
    counts = [(c, _all_of(c, words), c.resource.path == kind) for c in found.counts]
    if kind:
        found = searching.find(actor_of(request), words, kinds=[kind], limit=SHOWN)
    shown = {"hits": [(h, _where(h)) for h in found.hits], "counts": counts, "cut_off": found.cut_off}
    chosen = next((c for c, _, here in counts if here), None)
    return page(request, "search.html", title="Search", query=words, kind=kind, chosen=chosen, **shown)


def _all_of(count: searching.Count, words: str) -> str:
    """The kind's own list, searched for the same words, whatever state it begins with."""
    more = {"state": "all"} if count.resource.path == "situations" else {"all": "1"}
    return f"/{count.resource.path}/?{urlencode({'search': words, **more})}"


def _where(hit: searching.Hit) -> str:
    """The field that matches, in the words of the kind; "" for what the record is called by."""
    return "" if hit.text == hit.title else called(hit.resource, hit.field)


@require_GET
@signed_in()
def palette(request: HttpRequest) -> HttpResponse:
    """GET /palette/records.json: the records that match what is typed, for the palette."""
    words = request.GET.get("q", "").strip()
    found = searching.find(actor_of(request), words, limit=OFFERED)
    rows: list[dict[str, Any]] = [
        {"label": h.title, "group": h.resource.name.capitalize(), "url": h.url,
         "note": f"{_where(h)}: {h.text}" if _where(h) else ""}
        for h in found.hits
    ]  # fmt: skip
    return JsonResponse({"rows": rows})


@require_GET
@signed_in()
def places(request: HttpRequest) -> HttpResponse:
    """GET /palette/places.json: everywhere that the palette can go without searching."""
    rows = [{"label": p.label, "url": p.url, "group": p.group} for p in all_places(actor_of(request))]
    return JsonResponse({"rows": rows})
