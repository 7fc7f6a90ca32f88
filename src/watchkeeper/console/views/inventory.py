"""The inventory as a whole: its kinds with how many there are of each, and what an item's failure would hit."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console import graphs
from watchkeeper.console.surroundings import PHRASES
from watchkeeper.console.views.page import moment_asked, page, signed_in
from watchkeeper.domains.inventory.areas import AREAS
from watchkeeper.domains.inventory.impact import (
    DIRECTIONS,
    FORWARD,
    NEEDED_BY,
    NEEDS,
    Reach,
    Reached,
    among,
    named,
    reach,
)
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry

HOPS = (1, 2, 3, 5, 10, 20)
ROWS = 500  # of the table
QUESTIONS = {NEEDED_BY: "What needs it", NEEDS: "What it needs"}


@require_GET
@signed_in()
def kinds(request: HttpRequest) -> HttpResponse:
    """Every kind in its area, with its number of records."""
    actor = actor_of(request)
    areas = [
        (
            title,
            [(registry[path], _count(actor, path)) for path in paths if may(actor, "read", registry[path])],
        )
        for title, paths in AREAS.items()
    ]
    return page(
        request,
        "inventory.html",
        title="Inventory",
        areas=areas,
        discovered=visible(actor, "items", Item.objects.all()).filter(declared="").count(),
        can_make={
            k.path for _, kinds in areas for k, _ in kinds if "create" in k.allow and may(actor, "create", k)
        },
    )


def _count(actor: Actor, path: str) -> int:
    return visible(actor, path, registry[path].model._default_manager.all()).count()


@require_GET
@signed_in()
def impact(request: HttpRequest, key: str) -> HttpResponse:
    """What an item's failure would hit, or what it needs, as a table around a picture."""
    items_seen = visible(actor_of(request), "items", Item.objects.all())
    record = _item(key, items_seen)
    asked = _asked(request)
    found = reach(record.pk, asked["direction"], asked["hops"], asked["at"])
    items = named(
        [r.id for r in found.items[:ROWS]] + [r.through for r in found.items[:ROWS]] + list(found.spared),
        items_seen,
    )
    rows = [
        (items[r.id], r, _phrase(r, asked["direction"]), items.get(r.through))
        for r in found.items[:ROWS]
        if r.id in items and items[r.id].kind == (request.GET.get("kind") or items[r.id].kind)
    ]
    by_kind = Counter(items[r.id].kind for r in found.items[:ROWS] if r.id in items)
    kind = request.GET.get("kind", "") if request.GET.get("kind", "") in by_kind else ""
    return page(
        request, "impact.html", title=f"{QUESTIONS[asked['direction']]}: {record.name}", record=record, rows=rows,
        kind=kind, count=len(found.items), more=found.more, kinds=by_kind.most_common(), asked=asked, hops=HOPS,
        questions=QUESTIONS.items(), spared=[(items[g], n) for g, n in found.spared.items() if g in items],
        drawn=min(len(found.items), graphs.LARGEST - 1),
    )  # fmt: skip


@require_GET
@signed_in()
def impact_data(request: HttpRequest, key: str) -> HttpResponse:
    """The nearest of it, for the picture."""
    seen = visible(actor_of(request), "items", Item.objects.all())
    record, asked = _item(key, seen), _asked(request)
    found: Reach = reach(record.pk, asked["direction"], asked["hops"], asked["at"], most=graphs.LARGEST - 1)
    ids = [record.pk, *(r.id for r in found.items)]
    return JsonResponse(
        graphs.picture(named(ids, seen).values(), among(ids, asked["at"]), [record.pk], "asked about")
    )


def _phrase(r: Reached, direction: str) -> str:
    """How it belongs to the item before it on the way, as it reads from this one."""
    source_is_reached = (r.kind in FORWARD) == (direction == NEEDED_BY)
    return PHRASES[r.kind][0 if source_is_reached else 1]


def _item(key: str, of: QuerySet[Item]) -> Item:
    found = of.filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Direction, steps and time; what is not understood is as if it were not there."""
    direction, hops = request.GET.get("direction", ""), request.GET.get("hops", "")
    return {
        "direction": direction if direction in DIRECTIONS else NEEDED_BY,
        "hops": int(hops) if hops in map(str, HOPS) else 3,
        "at": moment_asked(request),
    }
