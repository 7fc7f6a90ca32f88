"""An item becomes part of another because a person says so: who may, and in which words it is asked for."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.merging import merge
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Done, registry


class IntoSerializer(serializers.Serializer[Any]):
    """What an item becomes part of."""

    into = serializers.CharField(help_text="the id of the item that stays")


def merged(actor: Actor, survivor: m.Item, gone: m.Item, because: Any = ()) -> Done:
    """Whoever merges may change the one and remove the other."""
    for item, act in ((survivor, "change"), (gone, "remove")):
        kind = registry[item.declared or "items"]
        require(actor, act, kind, kind.queryset().get(pk=item.pk))
    made = merge(actor, survivor, gone, because)
    return Done(
        body={"merge": made.pk, "item": survivor.pk, "gone": made.gone, "see": f"/items/{survivor.pk}/"}
    )


def merge_into(actor: Actor, item: m.Item, data: dict[str, Any]) -> Done:
    """The item becomes part of another."""
    other = visible(actor, "items").filter(pk=data["into"]).first()
    if other is None:
        raise Invalid(f"there is no item {data['into']!r}", "into")
    return merged(actor, other, m.Item.objects.get(pk=item.pk))
