"""Questions to the inventory's graph: what an item's failure would hit, what it needs, where the network hangs by one
machine; each as it is, or as it was at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.domains.inventory.impact import DIRECTIONS, MOST, NEEDED_BY, among, holding, named, reach
from watchkeeper.domains.inventory.models import Identifier, Item, Relation
from watchkeeper.domains.inventory.weak_points import weak_points
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import SignedIn, visible
from watchkeeper.kernel.problems import BadQuery, NotThere

MOST_HOPS = 20
_AT = OpenApiParameter("at", dt.datetime, description="as it was then; empty: as it is")
_ITEM = OpenApiParameter("item", str, required=True, description="the id of an item")


class ReachedSerializer(serializers.Serializer[Any]):
    """An item of an answer: how many steps away, by which relation, through which item."""

    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    distance = serializers.IntegerField()
    relation = serializers.CharField()
    through = serializers.CharField(help_text="the id of the item before it on the way")


class EdgeSerializer(serializers.Serializer[Any]):
    """A relation of the answer."""

    source = serializers.CharField()
    target = serializers.CharField()
    kind = serializers.CharField()


class SparedSerializer(serializers.Serializer[Any]):
    """A redundancy group that loses members and holds."""

    id = serializers.CharField()
    name = serializers.CharField()
    left = serializers.IntegerField(help_text="members that are left")


class ReachSerializer(serializers.Serializer[Any]):
    """What is reached from an item."""

    item = serializers.CharField()
    direction = serializers.ChoiceField(choices=DIRECTIONS)
    count = serializers.IntegerField()
    more = serializers.BooleanField(help_text="there are more than were followed")
    results = ReachedSerializer(many=True)
    relations = EdgeSerializer(many=True)
    spared = SparedSerializer(many=True)


class WeakPointSerializer(serializers.Serializer[Any]):
    """An item without which others are cut off."""

    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    cut_off = serializers.IntegerField(help_text="how many items are cut off without it")


class NameSerializer(serializers.Serializer[Any]):
    """A name under which signals knew the item."""

    scheme = serializers.CharField()
    value = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)


class NearSerializer(serializers.Serializer[Any]):
    """A relation of the item, and what is at its other end."""

    source = serializers.CharField()
    target = serializers.CharField()
    kind = serializers.CharField()
    origin = serializers.CharField()
    other = serializers.CharField(help_text="the name of the item at the other end")
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)


class SurroundingsSerializer(serializers.Serializer[Any]):
    """What an item was called and related to."""

    item = serializers.CharField()
    identifiers = NameSerializer(many=True)
    relations = NearSerializer(many=True)


class Graph(viewsets.ViewSet):
    """Questions to the graph."""

    permission_classes = (SignedIn,)

    @extend_schema(
        responses=ReachSerializer,
        parameters=[
            _ITEM, _AT,
            OpenApiParameter("direction", str, enum=DIRECTIONS, description="needed-by unless said otherwise"),
            OpenApiParameter("hops", int, description=f"1 to {MOST_HOPS}; 3 unless said otherwise"),
        ],
    )  # fmt: skip
    @action(detail=False)
    def impact(self, request: Request) -> Response:
        """What depends on an item (`needed-by`) or what it depends on (`needs`), within some steps."""
        asked = request.query_params
        known(asked, ("item", "direction", "hops", "at"))
        direction, at = asked.get("direction", NEEDED_BY), moment(asked.get("at", ""))
        if direction not in DIRECTIONS:
            raise BadQuery(f"direction={direction!r} is neither {' nor '.join(DIRECTIONS)}", "direction")
        item = asked.get("item", "")
        seen = visible(actor_of(request), "items", Item.objects.all())
        if not seen.filter(pk=item).exists():
            raise NotThere(f"there is no item {item!r}")
        found = reach(item, direction, hops(asked.get("hops", "3")), at)
        items = named([item, *found.spared, *(r.id for r in found.items)], seen)
        shown = [r for r in found.items if r.id in items]
        return Response({
            "item": item, "direction": direction, "count": len(shown), "more": found.more,
            "results": [
                {"id": r.id, "name": items[r.id].name, "kind": items[r.id].kind, "distance": r.distance,
                 "relation": r.kind, "through": r.through} for r in shown
            ],
            "relations": _edges(among([item, *(r.id for r in shown)], at)),
            "spared": [{"id": g, "name": items[g].name, "left": n} for g, n in found.spared.items() if g in items],
        })  # fmt: skip

    @extend_schema(responses=SurroundingsSerializer, parameters=[_ITEM, _AT])
    @action(detail=False)
    def surroundings(self, request: Request) -> Response:
        """The names and relations of an item, as they are or were."""
        asked = request.query_params
        known(asked, ("item", "at"))
        item, at = asked.get("item", ""), moment(asked.get("at", ""))
        seen = visible(actor_of(request), "items", Item.objects.all())
        if not seen.filter(pk=item).exists():
            raise NotThere(f"there is no item {item!r}")
        held = Relation.objects.filter(holding(at), Q(source=item) | Q(target=item)).order_by("id")
        near = visible(actor_of(request), "relations", held)[:MOST]
        others = named({e for r in near for e in (r.source_id, r.target_id)}, seen)
        ends = [(r, r.target_id if r.source_id == item else r.source_id) for r in near]
        names = Identifier.objects.filter(holding(at), item=item).order_by("position", "id")
        return Response({
            "item": item,
            "identifiers": [NameSerializer(x).data for x in names],
            "relations": [
                {"source": r.source_id, "target": r.target_id, "kind": r.kind, "origin": r.origin,
                 "other": others[other].name, "valid_from": r.valid_from, "valid_to": r.valid_to}
                for r, other in ends if other in others
            ],
        })  # fmt: skip

    @extend_schema(responses=WeakPointSerializer(many=True), parameters=[_AT])
    @action(detail=False, url_path="single-points-of-failure")
    def single_points_of_failure(self, request: Request) -> Response:
        """Machines without which others cannot reach each other, those that cut off most first."""
        known(request.query_params, ("at",))
        points = weak_points(moment(request.query_params.get("at", "")))
        items = named((p.id for p in points), visible(actor_of(request), "items", Item.objects.all()))
        return Response([
            {"id": p.id, "name": items[p.id].name, "kind": items[p.id].kind, "cut_off": p.cut_off}
            for p in points if p.id in items
        ])  # fmt: skip


def _edges(relations: Iterable[Relation]) -> list[dict[str, str]]:
    return [{"source": r.source_id, "target": r.target_id, "kind": r.kind} for r in relations]


def known(asked: Any, names: tuple[str, ...]) -> None:
    """Raises BadQuery for a parameter that is none of these."""
    for name in asked:
        if name not in (*names, "format"):
            raise BadQuery(f"{name!r} is not known here; there are: {', '.join(names)}", name)


def hops(text: str) -> int:
    """How many steps. Raises BadQuery."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= MOST_HOPS:
        raise BadQuery(f"hops={text!r} is not a whole number from 1 to {MOST_HOPS}", "hops")
    return int(text)


def moment(text: str) -> dt.datetime | None:
    """A time with its zone, None for none. Raises BadQuery."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadQuery(f"at={text!r} is not a time with its zone, such as 2026-05-01T12:00:00Z", "at")
    return found
