"""What hangs on a record of any kind (notes, files, links …): it names the record by kind and key, may be read by
whoever may read that record, and made, changed or removed by whoever may change it."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as Unfit
from django.db import models
from django.db.models.functions import Cast, Replace

from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource, registry


class Hanging(models.Model):
    """Base of what hangs on a record; `record` is its key as text."""

    kind = models.CharField("kind of record", max_length=64)
    record = models.CharField(max_length=128)

    class Meta:
        abstract = True


def _root(model: type[models.Model]) -> type[models.Model]:
    parents = model._meta.get_parent_list()
    return parents[-1] if parents else model


@lru_cache(maxsize=256)
def family(resource: Resource) -> tuple[str, ...]:
    """The kinds that share this one's keys: an item and the record of its own kind are the same thing."""
    root = _root(resource.model)
    return tuple(dict.fromkeys((resource.path, *(r.path for r in registry if _root(r.model) is root))))


def on(model: type[models.Model], resource: Resource, keys: Iterable[Any]) -> models.QuerySet[Any]:
    """What of this model hangs on the records with these keys."""
    return model._default_manager.filter(kind__in=family(resource), record__in=[str(k) for k in keys])


def subject(kind: str, key: str) -> tuple[Resource, Any]:
    """The record with its kind, which is the item's own where `kind` only says that it is an item. Raises NotThere."""
    try:
        resource = registry[kind]
        record = resource.queryset().get(pk=key)
        own = getattr(record, "declared", "")
        if own and own != kind and own in family(resource):
            resource = registry[own]
            record = resource.queryset().get(pk=key)
    except (KeyError, ValueError, OverflowError, Unfit, ObjectDoesNotExist) as error:
        raise NotThere(f"there is no record {key!r} of the kind {kind!r}") from error
    return resource, record


def as_keys(found: models.QuerySet[Any], resource: Resource) -> models.QuerySet[Any]:
    """The column `record` of these rows as keys of the kind, for `pk__in`."""
    return found.values_list(_as_key(models.F("record"), resource.model._meta.pk), flat=True)


def as_records(found: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The keys of these records as the column `record` has them, for `record__in`."""
    return found.order_by().values_list(_as_record(found.model, models.F("pk")), flat=True)


def record_of(resource: Resource) -> Any:
    """In a query within a list of this kind: the key of the list's record as the column `record` has it."""
    return _as_record(resource.model, models.OuterRef("pk"))


def _as_record(model: type[models.Model], key: Any) -> Any:
    text = isinstance(_key_field(model), models.CharField | models.TextField)
    return key if text else Cast(key, models.CharField(max_length=128))


def _key_field(model: type[models.Model]) -> Any:
    field: Any = model._meta.pk
    while field.remote_field is not None:
        field = field.target_field
    return field


def _as_key(text: Any, field: Any) -> Any:
    while field.remote_field is not None:
        field = field.target_field
    match field:
        case models.CharField() | models.TextField():
            return text
        case models.UUIDField():  # SQLite keeps them without dashes, PostgreSQL reads them either way
            return Cast(Replace(text, models.Value("-"), models.Value("")), models.UUIDField())
    return Cast(text, models.BigIntegerField())
