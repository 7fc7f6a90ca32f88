"""The serializer that follows from a Resource: what REST and the console show of a record, and take. The views are
in api/records."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import Any, ClassVar, NoReturn
from zoneinfo import ZoneInfo

from django.db import models
from rest_framework import serializers

from watchkeeper.kernel import extras
from watchkeeper.kernel.fields import SealedField, SeverityField, StructField
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.model.verdicts import Severity


class Document(serializers.JSONField):
    """A StructField in REST: its JSON, read only."""

    def to_representation(self, value: Any) -> Any:
        """Structs as dicts."""
        import msgspec

        return msgspec.to_builtins(value)


class Choice(serializers.ChoiceField):
    """One of these; whoever sends another word is told which there are."""

    def fail(self, key: str, **words: Any) -> NoReturn:
        """As the base, with the words."""
        if key == "invalid_choice":
            there = ", ".join(str(c) for c in self.choices if c != "")
            raise serializers.ValidationError(f'"{words["input"]}" is not one of: {there}', key)
        super().fail(key, **words)


class Reference(serializers.PrimaryKeyRelatedField[Any]):
    """Another record: of those that the `actor` of the context may read, and those that are referred to already."""

    def get_queryset(self) -> Any:
        """As the base."""
        found: Any = super().get_queryset()
        actor: Any = self.context.get("actor")
        kind = registry.of(found.model) if actor and isinstance(found, models.QuerySet) else None
        if kind is None or (seen := visible(actor, kind, found)) is found:
            return found
        many = isinstance(self.parent, serializers.ManyRelatedField)
        name = self.parent.source if many else f"{self.source}_id"
        held = getattr(self.root.instance, str(name), None)
        return seen | found.filter(pk__in=held.values("pk") if many and held else [held])


def time_zone(name: str) -> None:
    """A validator: the name of a time zone that is known here."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise serializers.ValidationError("not a time zone such as UTC or Europe/Berlin") from error


class RecordSerializer(serializers.ModelSerializer[Any]):
    """What derived serializers build on: it knows the kernel's own columns."""

    serializer_related_field = Reference
    serializer_choice_field = Choice

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        StructField: Document,
        SealedField: serializers.CharField,
    }

    _recipe: ClassVar[dict[str, serializers.Field[Any, Any, Any, Any]]]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Found out once for each kind: asking the model anew in every request costs a quarter of a short one."""
        cls = type(self)
        if "_recipe" not in cls.__dict__:
            cls._recipe = super().get_fields()
        return {name: _another(field) for name, field in cls._recipe.items()}

    def build_standard_field(self, field_name: str, model_field: models.Field[Any, Any]) -> tuple[Any, Any]:
        """Severities are words."""
        made, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, SeverityField):
            kept = {k: v for k, v in options.items() if k in ("required", "allow_null")}
            return Choice, {**kept, "choices": [s.value for s in Severity]}
        if isinstance(model_field, SealedField):
            options |= {"write_only": True, "style": {"input": "secret"}}
        if isinstance(model_field, StructField):
            options = {"read_only": True}
        return made, options

    def now(self, attrs: dict[str, Any], name: str) -> Any:
        """What a field will be: as it is sent, else as it is, else as its model has it from the start."""
        if name in attrs or self.instance is not None:
            return attrs.get(name, getattr(self.instance, name, None))
        model: Any = self.Meta.model
        return model._meta.get_field(name).get_default()

    def in_order(self, attrs: dict[str, Any]) -> None:
        """Raises ValidationError when it does not end after it begins."""
        begins, ends = self.now(attrs, "begins_at"), self.now(attrs, "ends_at")
        if begins and ends and ends <= begins:
            raise serializers.ValidationError({"ends_at": ["it ends after it begins"]})


def _another(field: Any) -> Any:
    """A field as this one, of no serializer yet. What holds other fields is copied with them."""
    if isinstance(field, serializers.BaseSerializer) or {"child", "child_relation"} & field._kwargs.keys():
        return deepcopy(field)
    another = object.__new__(type(field))
    another.__dict__ |= field.__dict__
    return another


class Gathering:
    """Mixed into the lists of a kind: what every kind has beside its own is read for all records at once."""

    def to_representation(self: Any, data: Any) -> Any:
        """As the base."""
        records = list(data.all() if isinstance(data, models.manager.BaseManager) else data)
        extras.gather(self.child.resource, records, self.child.fields)
        return super().to_representation(records)  # type: ignore[misc]


class Adding:
    """Mixed into serializers that write their own representation."""

    def to_representation(self: Any, instance: Any) -> dict[str, Any]:
        """What the base writes, and what every kind has beside it."""
        shown: dict[str, Any] = super().to_representation(instance)  # type: ignore[misc]
        more = (e.name for e in extras.every() if e.name in self.fields)
        return {**shown, **{n: extras.value_of(self.resource, instance, n) for n in more}}


@lru_cache(maxsize=256)
def serializer_of(resource: Resource) -> type[serializers.BaseSerializer[Any]]:
    """The declared serializer, or one derived from `fields` and `writable`, with what every kind has beside."""
    base: Any = resource.serializer or RecordSerializer
    more = {e.name: e.field() for e in extras.of(resource)}
    inherited: Any = getattr(base, "Meta", object)
    listed = getattr(inherited, "list_serializer_class", serializers.ListSerializer)
    own: dict[str, Any] = {"list_serializer_class": type("Records", (Gathering, listed), {})}
    if resource.serializer is None:
        sent = (*resource.writable, *resource.create_only)
        own |= {
            "model": resource.model,
            "fields": (*resource.fields, *more),
            "read_only_fields": tuple(f for f in resource.fields if f not in sent),
        }
    elif isinstance(getattr(inherited, "fields", None), tuple):
        own["fields"] = (*inherited.fields, *more)
    plain = base.to_representation is serializers.Serializer.to_representation
    members = {**more, "resource": resource, "Meta": type("Meta", (inherited,), own), "__doc__": base.__doc__}
    name = base.__name__ if resource.serializer else f"{resource.path.title().replace('-', '')}Serializer"
    return type(name, (base,) if plain else (Adding, base), members)


@lru_cache(maxsize=256)
def annotations_of(resource: Resource | None) -> type[serializers.BaseSerializer[Any]]:
    """A serializer of nothing but what every kind has beside its own fields."""
    more = extras.of(resource) if resource else extras.every()
    members = {e.name: e.field() for e in more}
    return type("Annotations", (serializers.Serializer,), {**members, "resource": resource})


@lru_cache(maxsize=256)
def readable(resource: Resource) -> tuple[str, ...]:
    """The fields that REST shows of a record, in their order."""
    fields: dict[str, Any] = serializer_of(resource)().fields  # type: ignore[attr-defined]
    return tuple(name for name, field in fields.items() if not field.write_only)
