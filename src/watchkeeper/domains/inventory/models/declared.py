"""What kinds of item have in common that have a record of their own: which item they are in the graph, under which
names signals know them, and which relations follow from their fields."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

from django.db import models
from django.db.models.expressions import Col

from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.model.topology import Identifier, RelationKind


class Edge(NamedTuple):
    """The relation that a field stands for; `inverse`: from the field's record to this one."""

    kind: RelationKind
    inverse: bool = False


INSIDE = Edge(RelationKind.CONTAINS, inverse=True)  # the field names what contains this record
RUNS_ON = Edge(RelationKind.RUNS_ON)
DEPENDS_ON = Edge(RelationKind.DEPENDS_ON)
MEMBER_OF = Edge(RelationKind.MEMBER_OF)


class Declared(Item):
    """Base of the kinds; each has a table of its own beside that of all items, and the same key.

    `PATH` is the kind's path in the API and console, `GRAPH_KIND` what analysis calls such an item, `EDGES` maps
    fields to relations.
    """

    GRAPH_KIND: ClassVar[str] = ""
    PATH: ClassVar[str] = ""
    EDGES: ClassVar[dict[str, Edge]] = {}

    item = models.OneToOneField(
        Item, models.CASCADE, parent_link=True, primary_key=True, related_name="as_%(class)s"
    )

    class Meta:
        abstract = True
        ordering: ClassVar = ["name", "id"]

    @classmethod
    def stretch(cls, found: models.QuerySet[Any], offset: int, limit: int) -> models.QuerySet[Any]:
        """A page of these records, said in columns of the table of all items, whose index has them in order: sorting a
        hundred thousand for each page takes a hundred times as long. Of a list that nothing narrows, the index alone
        says which they are."""
        whole = not found.query.where
        found = found.filter(declared=cls.PATH)
        table: str = found.query.resolve_ref("declared").alias  # type: ignore[attr-defined]
        rows = found.order_by(*_by_key(found.query.order_by, table))
        if not whole or not {str(n).lstrip("-") for n in found.query.order_by} <= {"name", "id", "pk"}:
            return rows[offset : offset + limit]
        items = Item.objects.filter(declared=cls.PATH).order_by(*found.query.order_by)
        return rows.filter(pk__in=items.values("pk")[offset : offset + limit])

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With what follows from its fields."""
        self.complete()
        super().save(*args, **kwargs)

    def complete(self) -> None:
        """Set what follows from the fields. A new record is a new item, unless it was given the id of one."""
        self.id = self.id or str(uuid.uuid4())
        self.kind, self.declared = self.GRAPH_KIND, self.PATH
        self.name = (self.called() or self.name)[:255]

    def looks_around(self) -> bool:
        """Whether `clean` holds it against others of its kind, so that none is right before those are written."""
        return False

    def called(self) -> str:
        """Its name, where that follows from the fields; else people give it one."""
        return ""

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """The names that follow from the fields, each with the id of the item that is known by it."""
        return iter(())

    def edges(self) -> Iterator[tuple[str, str, RelationKind]]:
        """The relations that follow from the fields: source, target, kind."""
        for name, edge in self.EDGES.items():
            other = getattr(self, f"{name}_id")
            if other and edge.inverse:
                yield other, self.pk, edge.kind
            elif other:
                yield self.pk, other, edge.kind


def _by_key(order: Iterable[Any], table: str) -> Iterator[Any]:
    """The same order by the key of the table of all items, and not of a kind's own."""
    key = Col(table, Item._meta.get_field("id"))
    turned = {"pk": key.asc(), "id": key.asc(), "-pk": key.desc(), "-id": key.desc()}
    return (turned.get(n, n) for n in order)
