"""All kinds of item in one list, and their relations, declared. What a person changes on an item
stays, whatever discovery says after."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.inventory import many, scopes
from watchkeeper.domains.inventory.announcing import announce
from watchkeeper.domains.inventory.becoming import IntoSerializer, merge_into
from watchkeeper.domains.inventory.declaring import refuse_cycle
from watchkeeper.domains.inventory.models import Identifier, Item, Relation
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import belonging, visible, within
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.topology import RelationKind


class IdentifierSerializer(serializers.Serializer[Any]):
    """A name under which signals know an item."""

    scheme = serializers.CharField(max_length=64)
    value = serializers.CharField(max_length=512)


class ItemSerializer(RecordSerializer):
    """`confirmed`: a person has said that it is so."""

    confirmed = serializers.SerializerMethodField()
    identifiers = IdentifierSerializer(many=True, required=False, default=list)
    attributes = serializers.DictField(required=False)

    class Meta:
        model = Item
        fields = ("id", "kind", "declared", "name", "confirmed", "discovered", "source", "identifiers", "attributes",
                  "first_seen_at", "last_seen_at", "stale_since")  # fmt: skip
        read_only_fields = (
            "id",
            "declared",
            "discovered",
            "source",
            "first_seen_at",
            "last_seen_at",
            "stale_since",
        )

    def get_confirmed(self, item: Item) -> bool:
        """The opposite of discovered."""
        return not item.discovered


def with_identifiers(found: QuerySet[Any]) -> QuerySet[Any]:
    """With the names that are current."""
    current = Identifier.objects.filter(valid_to=None)
    return found.prefetch_related(Prefetch("identifiers", queryset=current))


def _make(actor: Actor, data: dict[str, Any]) -> Item:
    now = timezone.now()
    names = [(x["scheme"].lower(), x["value"].lower()) for x in data.pop("identifiers", [])]
    for scheme, value in names:
        if Identifier.objects.filter(scheme=scheme, value=value, valid_to=None).exists():
            raise Refused(f"another item is known as {scheme}={value}")
    item = Item.objects.create(
        id=str(uuid.uuid4()), discovered=False, source=actor.name[:128],
        first_seen_at=now, last_seen_at=now, **data,
    )  # fmt: skip
    Identifier.objects.bulk_create(
        Identifier(item=item, scheme=s, value=v, position=n, valid_from=now)
        for n, (s, v) in enumerate(dict.fromkeys(names))
    )
    announce([item.pk])
    return item


_make.many = lambda: many.ManyItems(many.plain)  # type: ignore[attr-defined]


def _its_own(item: Item) -> None:
    """Raises Refused for an item that has a record of its own: its fields decide, and who may change them."""
    if item.declared:
        raise Refused(f"{item.name} has a record of its own: change it at /api/{item.declared}/{item.pk}/")


def _remove(_: Actor, item: Item) -> None:
    _its_own(item)
    item.delete()


def _change(_: Actor, item: Item, data: dict[str, Any]) -> Item:
    _its_own(item)
    data.pop("identifiers", None)
    for name, value in data.items():
        setattr(item, name, value)
    item.discovered = False
    item.save()
    announce([item.pk])
    return item


def _confirm(_: Actor, item: Item, __: dict[str, Any]) -> Done:
    Item.objects.filter(pk=item.pk).update(discovered=False)
    announce([item.pk])
    return Done()


def relations_of(item: Item) -> QuerySet[Relation]:
    """Those that hold, at either end."""
    return Relation.objects.filter(Q(source=item) | Q(target=item), valid_to=None)


belonging.update({"site": scopes.of_site, "service": scopes.of_service})
registry.add(
    Resource(
        model=Item,
        path="items",
        policy_attributes=("id", "kind", "declared", "name", "source", "discovered"),
        name="item",
        description="Everything the organisation runs, found by discovery or entered by people.",
        fields=ItemSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("kind", show=Show.STATE),
            Column("source", "Known from"),
            Column("last_seen_at", "Last seen", Show.TIME),
        ),
        filters={
            "kind": ["exact", "in"],
            "declared": ["exact", "in"],
            "name": ["exact", "icontains"],
            "discovered": ["exact"],
            "source": ["exact"],
            "identifiers__value": ["exact"],
            "identifiers__scheme": ["exact"],
            "last_seen_at": ["gte", "lt"],
            "stale_since": ["isnull"],
        },
        search=("name", "kind"),
        ordering=("name", "id"),
        orderable=("kind", "first_seen_at", "last_seen_at"),
        writable=("kind", "name", "attributes"),
        create_only=("identifiers",),
        allow=frozenset({"create", "change", "remove"}),
        serializer=ItemSerializer,
        prepare=with_identifiers,
        create=_make,
        change=_change,
        remove=_remove,
        actions=(
            Action(
                "confirm",
                "Confirm",
                _confirm,
                scope=Scope.WRITE,
                offered=lambda item: item.discovered,
                bulk=True,
            ),
            Action("merge", "Merge into another", merge_into, fields=IntoSerializer, audited=False),
        ),
        related={"relations": relations_of},
    )
)


class RelationSerializer(RecordSerializer):
    """Both ends with their names."""

    source_name = serializers.CharField(source="source.name", read_only=True)
    target_name = serializers.CharField(source="target.name", read_only=True)

    class Meta:
        model = Relation
        fields = ("id", "source", "source_name", "kind", "target", "target_name", "origin", "observed",
                  "valid_from", "valid_to", "last_seen_at")  # fmt: skip
        read_only_fields = ("id", "origin", "observed", "valid_from", "valid_to", "last_seen_at")


def _relate(actor: Actor, data: dict[str, Any]) -> Relation:
    if data["source"] == data["target"]:
        raise Invalid("an item has no relation to itself", "target")
    if data["kind"] == RelationKind.CONTAINS:
        refuse_cycle(data["source"].pk, data["target"].pk, "target")
    now = timezone.now()
    made, new = Relation.objects.get_or_create(
        **data, origin=f"person:{actor.name}"[:128], valid_to=None,
        defaults={"observed": False, "valid_from": now, "last_seen_at": now},
    )  # fmt: skip
    if not new:
        raise Refused("this relation is there already")
    announce([], [made])
    return made


def _between_readable(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """A relation names both its ends."""
    everything = Item.objects.all()
    seen = visible(actor, "items", everything)
    if seen is everything:
        return found
    keys = seen.order_by().values("pk")
    return found.filter(source__in=keys, target__in=keys)


within["relations"] = _between_readable


def _end(_: Actor, relation: Relation) -> None:
    """It was so until now; its past stays."""
    relation.valid_to = timezone.now()
    relation.save(update_fields=["valid_to"])
    announce(ended=[relation])


registry.add(
    Resource(
        model=Relation,
        path="relations",
        policy_attributes=("kind", "origin"),
        name="relation",
        description="What needs, runs on, contains or connects to what, and since when.",
        fields=RelationSerializer.Meta.fields,
        columns=(
            Column("source__name", "From", link=True),
            Column("kind", show=Show.STATE),
            Column("target__name", "To"),
            Column("origin", "Known from"),
            Column("last_seen_at", "Last seen", Show.TIME),
        ),
        filters={
            "source": ["exact"],
            "target": ["exact"],
            "kind": ["exact", "in"],
            "origin": ["exact"],
            "observed": ["exact"],
            "valid_to": ["isnull"],
        },
        search=("source__name", "target__name"),
        ordering=("-valid_from", "-id"),
        orderable=("kind", "last_seen_at"),
        create_only=("source", "target", "kind"),
        allow=frozenset({"create", "remove"}),
        serializer=RelationSerializer,
        prepare=lambda found: found.select_related("source", "target"),
        create=_relate,
        remove=_end,
        default_filters={"valid_to__isnull": "true"},
    )
)
