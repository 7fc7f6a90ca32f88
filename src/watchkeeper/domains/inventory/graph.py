"""The inventory as analysis sees it: loads the Topology."""

from __future__ import annotations

from collections import defaultdict

from watchkeeper.domains.inventory import models
from watchkeeper.model.topology import Identifier, Item, Relation, RelationKind, Topology


def load_topology() -> Topology:
    """Every item with its identifiers in their order, and every relation that holds. Three queries."""
    identifiers: dict[str, list[Identifier]] = defaultdict(list)
    rows = models.Identifier.objects.filter(valid_to=None).order_by("position", "id")
    for item, scheme, value in rows.values_list("item_id", "scheme", "value").iterator(5000):
        identifiers[item].append(Identifier(scheme, value))
    columns = ("pk", "kind", "name", "discovered", "source", "attributes")
    items = [
        Item(pk, kind, name, tuple(identifiers[pk]), discovered, source, attributes)
        for pk, kind, name, discovered, source, attributes in models.Item.objects.order_by("pk")
        .values_list(*columns)
        .iterator(5000)
    ]
    edges = models.Relation.objects.filter(valid_to=None).order_by("id")
    relations = [
        # What a person has said has no origin: nobody has to confirm it.
        Relation(source, target, RelationKind(kind), origin if observed else "")
        for source, target, kind, origin, observed in edges.values_list(
            "source_id", "target_id", "kind", "origin", "observed"
        ).iterator(5000)
    ]
    return Topology(items, relations)
