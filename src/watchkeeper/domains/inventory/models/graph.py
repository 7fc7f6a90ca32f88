"""What every item of the graph has: configuration items, the identifiers under which signals know
them, and their relations, each in time."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from watchkeeper.kernel.fields import StructField
from watchkeeper.model.topology import RelationKind


class Item(models.Model):
    """Something the organisation runs. Once confirmed (not only `discovered`), discovery leaves its name and kind."""

    id = models.CharField(primary_key=True, max_length=36)
    kind = models.CharField(max_length=64)
    declared = models.CharField(max_length=32, blank=True, default="")  # the path of its own kind of record
    name = models.CharField(max_length=255)
    discovered = models.BooleanField(default=True)  # no person or inventory source has confirmed it
    source = models.CharField(max_length=128, blank=True, default="")
    attributes = StructField(dict[str, Any], blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    stale_since = models.DateTimeField(
        null=True, default=None
    )  # no source that described it names it any more

    class Meta:
        ordering: ClassVar = ["name", "id"]
        indexes: ClassVar = [
            models.Index(fields=["name", "id"], name="item_name"),
            models.Index(fields=["kind", "name"], name="item_kind"),
            models.Index(fields=["declared", "name", "id"], name="item_declared"),
            models.Index(fields=["stale_since"], condition=~models.Q(stale_since=None), name="item_stale"),
        ]

    def __str__(self) -> str:
        return self.name


class Identifier(models.Model):
    """A name of an item. One that has moved to another item is closed here and opened there."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=64)
    value = models.CharField(max_length=512)
    position = models.PositiveSmallIntegerField(default=0)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scheme", "value"], condition=models.Q(valid_to=None), name="identifier_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scheme}={self.value}"


class Relation(models.Model):
    """A directed edge between two items, for as long as it was so."""

    source = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="outgoing")
    target = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="incoming")
    kind = models.CharField(max_length=32, choices=[(k.value, k.value) for k in RelationKind])
    origin = models.CharField(max_length=128, blank=True, default="")
    observed = models.BooleanField(default=True)  # seen in signals; closes when it is not seen any more
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, default=None)
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-valid_from", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "target", "kind", "origin"],
                condition=models.Q(valid_to=None),
                name="relation_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["valid_from", "id"], name="relation_from")]

    def __str__(self) -> str:
        return f"{self.source.name} {self.kind.replace('_', ' ')} {self.target.name}"
