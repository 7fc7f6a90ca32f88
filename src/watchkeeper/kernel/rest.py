"""The serializer that follows from a Resource: what REST and the console show of a record, and take. The views are
in api/records."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers

from watchkeeper.kernel.fields import SealedField, SeverityField, StructField
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.verdicts import Severity


class Document(serializers.JSONField):
    """A StructField in REST: its JSON, read only."""

    def to_representation(self, value: Any) -> Any:
        """Structs as dicts."""
        import msgspec

        return msgspec.to_builtins(value)


class RecordSerializer(serializers.ModelSerializer[Any]):
    """What derived serializers build on: it knows the kernel's own columns."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        StructField: Document,
        SealedField: serializers.CharField,
    }

    def build_standard_field(self, field_name: str, model_field: models.Field[Any, Any]) -> tuple[Any, Any]:
        """Severities are words."""
        made, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, SeverityField):
            kept = {k: v for k, v in options.items() if k in ("required", "allow_null")}
            return serializers.ChoiceField, {**kept, "choices": [s.value for s in Severity]}
        if isinstance(model_field, SealedField):
            options["write_only"] = True
        if isinstance(model_field, StructField):
            options = {"read_only": True}
        return made, options


@lru_cache(maxsize=256)
def serializer_of(resource: Resource) -> type[serializers.BaseSerializer[Any]]:
    """The declared serializer, or one derived from `fields` and `writable`."""
    if resource.serializer is not None:
        return resource.serializer
    meta = type(
        "Meta",
        (),
        {
            "model": resource.model,
            "fields": resource.fields,
            "read_only_fields": tuple(
                f for f in resource.fields if f not in (*resource.writable, *resource.create_only)
            ),
        },
    )
    return type(f"{resource.model.__name__}Serializer", (RecordSerializer,), {"Meta": meta})


@lru_cache(maxsize=256)
def readable(resource: Resource) -> tuple[str, ...]:
    """The fields that REST shows of a record, in their order."""
    fields: dict[str, Any] = serializer_of(resource)().fields  # type: ignore[attr-defined]
    return tuple(name for name, field in fields.items() if not field.write_only)
