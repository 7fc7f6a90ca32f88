"""How a kind of item with a record of its own is declared: from the model come its fields, filters, columns and
hooks; what is said here is what people call it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db.models import ForeignKey, Model, QuerySet
from rest_framework import serializers

from watchkeeper.domains.inventory import declaring, many
from watchkeeper.domains.inventory.items import IdentifierSerializer, relations_of, with_identifiers
from watchkeeper.domains.inventory.models import Declared, Item
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import column, lookups, own_fields
from watchkeeper.kernel.resource import Column, Resource, registry
from watchkeeper.kernel.rest import RecordSerializer

_BEFORE, _AFTER = (
    ("id", "name"),
    ("kind", "source", "identifiers", "attributes", "first_seen_at", "last_seen_at", "stale_since"),
)
_SEEN = ("id", "kind", "source", "first_seen_at", "last_seen_at", "stale_since")
_FILTERS = {
    "name": ["exact", "icontains"],
    "source": ["exact"],
    "identifiers__value": ["exact"],
    "last_seen_at": ["gte", "lt"],
    "stale_since": ["isnull"],
}


class DeclaredSerializer(RecordSerializer):
    """What serializers of these kinds share."""

    identifiers = IdentifierSerializer(many=True, required=False, default=list)
    attributes = serializers.DictField(required=False)


@lru_cache(maxsize=128)
def serializer_for(model: type[Declared]) -> type[RecordSerializer]:
    """The fields of all items around the kind's own; a name that follows from the fields is only shown."""
    own = tuple(f.name for f in own_fields(model))
    shown_only = (*_SEEN, "name") if model.called is not Declared.called else _SEEN
    meta = type(
        "Meta", (), {"model": model, "fields": (*_BEFORE, *own, *_AFTER), "read_only_fields": shown_only}
    )
    return type(f"{model.__name__}Serializer", (DeclaredSerializer,), {"Meta": meta})


def declare(model: type[Declared], name: str, columns: str = "", **more: Any) -> Resource:
    """Declare a kind of item. `columns` are fields to show in lists beside its name, in words with spaces between;
    `more` goes into the Resource."""
    fields = own_fields(model)
    references = [f.name for f in fields if isinstance(f, ForeignKey)]
    own = tuple(f.name for f in fields)
    named = model.called is Declared.called
    asked = (
        *(f.name for f in fields if f.choices),
        *(
            f"{f.name}__name"
            for f in fields
            if isinstance(f, ForeignKey) and issubclass(f.related_model, Item)
        ),
    )
    moved = ("status",) if more.get("actions") else ()  # by transitions, once it is there

    def create(actor: Actor, data: dict[str, Any]) -> Model:
        return declaring.make(actor, model, data)

    def one_of_many(actor: Actor, data: dict[str, Any]) -> many.Made | None:
        return many.declared(actor, model, data)

    create.many = lambda: many.ManyItems(one_of_many)  # type: ignore[attr-defined]

    def change(_: Actor, record: Any, data: dict[str, Any]) -> Model:
        return declaring.change(record, data)

    def prepare(found: QuerySet[Any]) -> QuerySet[Any]:
        return with_identifiers(found.select_related(*references) if references else found)

    return registry.add(
        Resource(
            model=model,
            path=model.PATH,
            policy_attributes=("id", "kind", "name", "source", *asked),
            name=name,
            description=more.pop("description", (model.__doc__ or "").strip()),
            fields=(*_BEFORE, *own, *_AFTER),
            columns=(Column("name", link=True), *(column(model, c) for c in columns.split())),
            filters={**_FILTERS, **lookups(fields)},
            search=("name", *more.pop("search", ())),
            ordering=("name", "id"),
            orderable=(*(c for c in own if c not in references), "last_seen_at"),
            writable=(*(("name",) if named else ()), *(c for c in own if c not in moved), "attributes"),
            create_only=("identifiers", *moved),
            allow=frozenset({"create", "change", "remove"}),
            serializer=serializer_for(model),
            prepare=prepare,
            create=create,
            change=change,
            related={**more.pop("related", {}), "relations": relations_of},
            **more,
        )
    )
