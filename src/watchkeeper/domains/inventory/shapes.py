"""The fields of a kind as sources fill them: which there are, what a value from outside means for one, and a record's
values in the plain form in which sources' words are kept and compared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models

from watchkeeper.domains.inventory.models import Declared, Item
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.derive import own_fields
from watchkeeper.model.errors import WatchkeeperError

NAME = "name"


class Unfit(WatchkeeperError):
    """A value that its field does not take; the detail names both."""

    status = 400
    reason = "invalid"


class Shape:
    """Of one kind; `model` is Item itself for items without a record of their own."""

    def __init__(self, model: type[Item], kind: str) -> None:
        self.model, self.kind = model, kind
        own = own_fields(model) if issubclass(model, Declared) else ()
        self.fields: dict[str, Any] = {f.name: f for f in own}
        self.items = {  # fields that refer to items, and to which kind of them
            n: f.related_model
            for n, f in self.fields.items()
            if f.is_relation and issubclass(f.related_model, Item)
        }
        self.small = {
            n: f.related_model for n, f in self.fields.items() if f.is_relation and n not in self.items
        }
        self.follows = (
            issubclass(model, Declared) and model.called is not Declared.called
        )  # the name from fields
        self.defaults = {
            n: plain(f.get_default())
            for n, f in self.fields.items()
            if n not in self.items and n not in self.small
        }

    def value(self, name: str, given: Any) -> Any:
        """What a plain value means for this field, as the record has it. Raises Unfit."""
        field = self.fields.get(name)
        if name == NAME:
            return str(given).strip()[:255]
        if field is None:
            return given
        if name in self.items:
            raise Unfit(f"{name}: it refers to an item, so it belongs into the references")
        try:
            return field.clean(given, None)
        except ValidationError as error:
            raise Unfit(f"{name}: {' '.join(error.messages)}") from error

    def shown(self, record: Any) -> dict[str, Any]:
        """A record's values, its attributes among them, plain."""
        out = {NAME: record.name, **record.attributes}
        out |= {n: plain(getattr(record, f.attname)) for n, f in self.fields.items()}
        if self.follows:
            del out[NAME]
        return out

    def put(self, record: Any, values: Mapping[str, Any]) -> None:
        """Set plain values, as they come from `shown` or were kept; None puts a field back to its default."""
        attributes = dict(record.attributes)
        for name, value in values.items():
            if name == NAME:
                record.name = value or record.name
            elif name not in self.fields:
                attributes.pop(name, None)
                attributes |= {} if value is None else {name: value}
            elif self.fields[name].is_relation:
                setattr(record, self.fields[name].attname, value)
            else:
                field = self.fields[name]
                setattr(record, name, field.get_default() if value is None else field.to_python(value))
        record.attributes = attributes

    def new(self, pk: str) -> Any:
        """A record that is not saved yet."""
        return (
            self.model(pk=pk, id=pk, kind=self.kind)
            if self.model is not Item
            else Item(id=pk, kind=self.kind)
        )


@lru_cache(maxsize=256)
def shape_of(kind: str) -> Shape:
    """By the path of a kind of record, or what the graph calls an item without one."""
    return Shape(_models().get(kind, Item), kind)


def shape_for(item: Item) -> Shape:
    """By an item."""
    return shape_of(item.declared or item.kind)


@lru_cache(maxsize=1)
def _models() -> Mapping[str, type[Declared]]:
    from django.apps import apps

    return {m.PATH: m for m in apps.get_models() if issubclass(m, Declared)}


class Small:
    """The small records that fields refer to, such as manufacturers: found by what tells them apart, or new."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, bytes], Any] = {}

    def of(self, model: type[models.Model], given: Any) -> models.Model:
        """The record of this name or with these fields; one without a key yet when there is none. Raises Unfit."""
        fields = dict(given) if isinstance(given, Mapping) else {self._first(model): given}
        key = (model, msgspec.json.encode(plain(fields), order="deterministic"))
        if key not in self._found or self._found[key].pk is None:
            self._found[key] = self._look(model, fields)
        return self._found[key]

    def _first(self, model: type[models.Model]) -> str:
        return own_fields(model)[0].name

    def _look(self, model: Any, fields: dict[str, Any]) -> Any:
        ready: dict[str, Any] = {}
        for name, value in fields.items():
            try:
                field = model._meta.get_field(name)
                ready[name] = (
                    self.of(field.related_model, value) if field.is_relation else field.clean(value, None)
                )
            except (ValidationError, LookupError, FieldDoesNotExist) as error:
                said = " ".join(
                    getattr(error, "messages", [f"there is no such field of {model._meta.verbose_name}"])
                )
                raise Unfit(f"{name}: {said}") from error
        together = self._unique(model)
        if missing := [n for n in together if n not in ready]:
            raise Unfit(f"{missing[0]}: it is needed to tell which {model._meta.verbose_name} is meant")
        known = {n: ready[n] for n in together}
        if any(isinstance(v, models.Model) and v.pk is None for v in known.values()):
            return model(**ready)
        return model._default_manager.filter(**known).first() or model(**ready)

    @staticmethod
    def _unique(model: Any) -> tuple[str, ...]:
        """The fields that tell records of this kind apart."""
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                return tuple(constraint.fields)
        return tuple(f.name for f in model._meta.local_fields if f.unique and not f.primary_key)[:1]

    def kept(self, record: Any) -> Any:
        """The record, written with those it refers to if it is new."""
        if record.pk is None:
            for field in record._meta.local_fields:
                if field.is_relation and (other := getattr(record, field.name)) is not None:
                    setattr(record, field.name, self.kept(other))
            record.save()
        return record
