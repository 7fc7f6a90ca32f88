"""Parts of the inventory graph as the picture takes them: nodes with what is wrong at them, and edges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Max, Q, QuerySet

from watchkeeper.domains.inventory.impact import holding
from watchkeeper.domains.inventory.models import Item, Relation
from watchkeeper.domains.situations.models import Alert
from watchkeeper.model.topology import RelationKind
from watchkeeper.model.verdicts import Severity

LARGEST = 400  # nodes of one picture
#: kinds that hold something; their arrow is turned so that all arrows point to what is needed
TURNED = {RelationKind.CONTAINS}


def picture(
    items: Iterable[Item],
    relations: Iterable[Relation],
    causes: Iterable[str] = (),
    mark: str = "probable cause",
) -> dict[str, Any]:
    """Nodes and edges for the browser; `causes` are marked, and `mark` says as what."""
    nodes = {i.pk: i for i in items}
    marked = set(causes)
    states = _states(nodes)
    edges = set()  # several sources may tell the same relation
    for r in relations:
        if r.source_id in nodes and r.target_id in nodes:
            ends = (r.target_id, r.source_id) if r.kind in TURNED else (r.source_id, r.target_id)
            edges.add((*ends, str(r.kind)))
    return {
        "mark": mark,
        "nodes": [
            {"id": i.pk, "name": i.name, "kind": i.kind, "state": states.get(i.pk, ""), "cause": i.pk in marked,
             "url": f"/items/{i.pk}/"}
            for i in nodes.values()
        ],
        "edges": [{"source": a, "target": b, "kind": k} for a, b, k in sorted(edges)],
    }  # fmt: skip


def around(
    centre: Iterable[str],
    among: QuerySet[Item],
    steps: int = 1,
    kinds: Iterable[str] = tuple(RelationKind),
    at: dt.datetime | None = None,
) -> tuple[list[Item], list[Relation]]:
    """Of some items those within so many steps of these, the nearest first, and the relations among them, now or then."""
    found = list(dict.fromkeys(centre))
    edge = set(found)
    for _ in range(steps):
        near = Relation.objects.filter(
            holding(at), Q(source__in=edge) | Q(target__in=edge), kind__in=list(kinds)
        )
        ends = {e for pair in near.values_list("source_id", "target_id")[: LARGEST * 4] for e in pair}
        edge = ends.difference(found)
        found.extend(sorted(edge))
        if len(found) >= LARGEST:
            break
    kept = found[:LARGEST]
    items = among.filter(pk__in=kept)
    relations = Relation.objects.filter(holding(at), source__in=kept, target__in=kept, kind__in=list(kinds))
    return list(items), list(relations)


def _states(nodes: Iterable[str]) -> dict[str, str]:
    """The worst severity that fires at each item."""
    firing = Alert.objects.filter(item__in=list(nodes), status="firing", suppressed_by="")
    worst = firing.values("item_id").annotate(worst=Max("severity")).values_list("item_id", "worst")
    return {item: str(w if isinstance(w, Severity) else list(Severity)[w]) for item, w in worst}
