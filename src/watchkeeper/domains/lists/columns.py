"""What a list can show: every readable field of its kind, and of the records that these refer to; and the values of
chosen columns for a page of records, with a query for each kind that is referred to and none for each record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.db.models import Model, QuerySet
from django.utils.text import capfirst

from watchkeeper.domains.annotations import fields_of
from watchkeeper.kernel import extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import SeverityField
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import readable, serializer_of

MOST = 30  # columns of a list
CUSTOM = "cf_"  # before the name of a custom field
Read = Callable[[Any], Any]


@lru_cache(maxsize=256)
def own(resource: Resource) -> Mapping[str, Column]:
    """By name: the declared columns, then the kind's other readable fields."""
    found = {c.name: c for c in resource.columns}
    for name in readable(resource):
        if name not in found and f"{name}_word" not in found and name != "custom_fields":
            found[name] = _column(resource, name)
    return found


@lru_cache(maxsize=256)
def referred(resource: Resource) -> Mapping[str, Resource]:
    """The kind's fields that refer to one record of a declared kind."""
    shown, out = readable(resource), dict[str, Resource]()
    for field in resource.model._meta.concrete_fields:
        other = registry.of(field.related_model) if isinstance(field, models.ForeignKey) else None
        if other is not None and field.name in shown:
            out[field.name] = other
    return out


def offered(resource: Resource, actor: Actor) -> dict[str, Column]:
    """All that this reader can choose from, by name: `rack__serial` is a field of the record in `rack`, and `cf_price` a
    custom field."""
    found = dict(own(resource))
    found |= {n: Column(n, f.called) for f in fields_of(resource) if (n := f"{CUSTOM}{f.name}")}
    for name, other in referred(resource).items():
        if may(actor, "read", other):
            found |= {
                f"{name}__{inner}": beyond(name, c)
                for inner, c in own(other).items()
                if "__" not in inner and not _many(other, inner)
            }
    return found


def beyond(name: str, column: Column) -> Column:
    """A column of the record that the field `name` refers to."""
    inner = column.heading
    small = inner[:1].lower() + inner[1:] if inner[1:2].islower() else inner  # not of VLAN or URL
    heading = f"{name.replace('_', ' ').capitalize()}: {small}"
    return Column(f"{name}__{column.name}", heading, column.show)


def checked(resource: Resource, actor: Actor, names: Sequence[str]) -> list[Column]:
    """The columns of these names. Raises Invalid naming the one that there is not."""
    known = offered(resource, actor)
    if strange := [n for n in names if n not in known]:
        raise Invalid(f"{strange[0]!r} is no column of {resource.plural}", "columns")
    if len(names) > MOST:
        raise Invalid(f"{len(names)} are more than {MOST}", "columns")
    return [known[n] for n in dict.fromkeys(names)]


def kept(resource: Resource, actor: Actor, names: Sequence[str]) -> list[Column]:
    """As `checked`, without those that are there no more: what was once chosen outlives fields and permissions. The
    declared columns where nothing is left."""
    known = offered(resource, actor) if names else {}
    return [known[n] for n in names if n in known] or list(resource.columns)


def joined(found: QuerySet[Any], resource: Resource, columns: Iterable[Column]) -> QuerySet[Any]:
    """The queryset with what these columns read beside the record."""
    known = referred(resource)
    names = {c.name.partition("__")[0] for c in columns if not c.name.startswith(CUSTOM)}
    many = [name for name in sorted(names) if _many(resource, name)]
    found = found.prefetch_related(*many) if many else found
    return found.select_related(*sorted(names & known.keys())) if names & known.keys() else found


def values(
    resource: Resource, actor: Actor, columns: Sequence[Column], records: Sequence[Any]
) -> list[list[Any]]:
    """For each record the values of the columns; None where the record that is referred to may not be read."""
    own_ones = {c.name for c in resource.columns}
    if any(c.name.startswith(CUSTOM) for c in columns):
        extras.gather(resource, records, ("custom_fields",))
    readers = [_reader(resource, actor, c, records, c.name in own_ones) for c in columns]
    return [[read(record) for read in readers] for record in records]


def _reader(resource: Resource, actor: Actor, column: Column, records: Sequence[Any], declared: bool) -> Read:
    if declared:
        return column.value
    if column.name.startswith(CUSTOM):
        custom = column.name.removeprefix(CUSTOM)
        return lambda record: extras.value_of(resource, record, "custom_fields").get(custom)
    name, _, inner = column.name.partition("__")
    if not inner:
        return _names(resource, actor, name, records) if _many(resource, name) else _field(resource, name)
    other = referred(resource)[name]
    ids = {key for r in records if (key := getattr(r, f"{name}_id")) is not None}
    among = other.model._default_manager.filter(pk__in=ids)
    seen = set(visible(actor, other, among).values_list("pk", flat=True)) if ids else set()
    read: Read = (
        column_of(other, inner).value if inner in {c.name for c in other.columns} else _field(other, inner)
    )
    return lambda record: read(getattr(record, name)) if getattr(record, f"{name}_id") in seen else None


def _names(resource: Resource, actor: Actor, name: str, records: Sequence[Any]) -> Read:
    """The names of the records in a field of many, without those that may not be read."""
    model = _of_model(resource.model, name).related_model
    other = registry.of(model)
    ids = {r.pk for record in records for r in getattr(record, name).all()}
    seen: set[Any] = set()
    if other is not None and ids:
        among = model._default_manager.filter(pk__in=ids)
        seen = set(visible(actor, other, among).values_list("pk", flat=True))
    return lambda record: [str(r) for r in getattr(record, name).all() if r.pk in seen]


def column_of(resource: Resource, name: str) -> Column:
    """One of the kind's own columns."""
    return own(resource)[name]


def _field(resource: Resource, name: str) -> Read:
    """A field as REST shows it; a reference as the record that it leads to, a time as a time."""
    if isinstance(_of_model(resource.model, name), models.Field):
        return Column(name).value
    shape: Any = serializer_of(resource)()
    field = shape.fields[name]

    def read(record: Any) -> Any:
        try:
            value = field.get_attribute(record)
        except ObjectDoesNotExist:
            return None
        return None if value is None else field.to_representation(value)

    return read


def _column(resource: Resource, name: str) -> Column:
    field = _of_model(resource.model, name)
    label = capfirst(str(field.verbose_name)) if isinstance(field, models.Field) else ""
    label = "" if label.lower() == name.replace("_", " ") else label
    match field:
        case models.ManyToManyField():
            return Column(name, label, Show.TAGS)
        case models.DateTimeField():
            return Column(name, label or name.removesuffix("_at").replace("_", " ").capitalize(), Show.TIME)
        case SeverityField():
            return Column(name, label, Show.SEVERITY)
        case models.BooleanField():
            return Column(name, label, Show.YES)
        case models.Field(choices=choices) if choices:
            return Column(name, label, Show.STATE)
    return Column(name, label)


def _many(resource: Resource, name: str) -> bool:
    return isinstance(_of_model(resource.model, name), models.ManyToManyField)


def _of_model(model: type[Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
