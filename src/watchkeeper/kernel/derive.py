"""What a declaration need not say because the model says it: the fields of a kind, and the look-ups by which each
can be filtered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    Field = models.Field[Any, Any]


def own_fields(model: type[models.Model]) -> tuple[Field, ...]:
    """The columns that this model adds and people may see, in their order: without its key, and without those it
    inherits from another table."""
    return tuple(f for f in model._meta.local_concrete_fields if not f.primary_key and f.editable)


def lookups(fields: Iterable[Field]) -> Mapping[str, list[str]]:
    """Field → the look-ups that make sense for its type.

    Choices can be listed, text searched within, numbers and times compared, references be missing.
    """
    return {f.name: _lookups(f) for f in fields}


def _lookups(field: Field) -> list[str]:
    optional = ["isnull"] if field.null else []
    match field:
        case models.ForeignKey():
            return ["exact", "in", *optional]
        case models.BooleanField():
            return ["exact"]
        case models.CharField() | models.TextField() if field.choices:
            return ["exact", "in"]
        case models.CharField() | models.TextField():
            return ["exact", "icontains"]
        case _:
            return ["exact", "gte", "lte", *optional]
