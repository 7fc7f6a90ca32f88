"""What a declaration need not say because the model says it: the fields of a kind, the look-ups by which each can be
filtered, how its columns are drawn; and for a plain kind all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.resource import Column, Resource, Show, registry

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
    return {f.name: found for f in fields if (found := _lookups(f))}


def _lookups(field: Field) -> list[str]:
    optional = ["isnull"] if field.null else []
    match field:
        case models.ManyToManyField():
            return ["exact"]
        case models.JSONField() | SealedField() | models.TimeField():
            return []
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


def plain(model: type[models.Model], name: str, path: str, columns: str, shown_only: tuple[str, ...] = (),
          **more: Any) -> Resource:  # fmt: skip
    """Declare a kind of which the model says nearly everything: all its fields are shown, filtered and written.
    `columns` are fields to show in lists, in words with spaces between, `role:For_whom` with a heading of its own;
    `shown_only` are fields that nobody writes; `more` replaces what is derived."""
    many = list(model._meta.local_many_to_many)
    fields = (*own_fields(model), *many)
    own = tuple(f.name for f in fields)
    single = tuple(f.name for f in own_fields(model) if not isinstance(f, models.JSONField | SealedField))
    references = [f.name for f in fields if isinstance(f, models.ForeignKey)]
    first, *others = (column(model, c) for c in columns.split())

    def prepare(found: models.QuerySet[Any]) -> models.QuerySet[Any]:
        found = found.select_related(*references) if references else found
        return found.prefetch_related(*(m.name for m in many)) if many else found

    derived = {
        "description": (model.__doc__ or "").strip(),
        "fields": ("id", *own, *shown_only),
        "columns": (Column(first.name, first.label, first.show, link=True), *others),
        "filters": lookups(fields),
        "search": own[:1],
        "ordering": (own[0], "id"),
        "orderable": (*single, *shown_only),
        "writable": own,
        "allow": frozenset({"create", "change", "remove"}),
        "prepare": prepare if references or many else None,
    }
    return registry.add(Resource(model=model, path=path, name=name, **{**derived, **more}))


def column(model: type[models.Model], word: str) -> Column:
    """A column drawn as its field's type wants."""
    name, _, heading = word.partition(":")
    try:
        field: Any = model._meta.get_field(name.partition("__")[0])
    except FieldDoesNotExist:  # a property of the record
        return Column(name, heading.replace("_", " "))
    label = heading.replace("_", " ") or str(getattr(field, "verbose_name", "")).capitalize()
    match field.get_internal_type():
        case "ForeignKey" | "OneToOneField":
            return Column(name, label)
        case "DateTimeField":
            return Column(name, label, Show.TIME)
        case "BooleanField":
            return Column(name, label, Show.YES)
        case _ if getattr(field, "choices", None):
            return Column(name, label, Show.STATE)
    return Column(name, label)
