"""Fields that records of every kind have beside their own, such as tags. A domain adds one; serializers, lists,
`doing`, import and export then show, filter and keep it without knowing what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.resource import Resource, registry

Changes = tuple[dict[str, Any], dict[str, Any]]  # before and after, for the audit trail


class Extra:
    """One such field. Everything takes many records at once, so that a list costs as many queries as a record."""

    name: str
    #: parameters of lists, as people may write them → what they mean
    parameters: Mapping[str, str] = {}

    def field(self) -> serializers.Field[Any, Any, Any, Any]:
        """The serializer's field: an ExtraField."""
        raise NotImplementedError

    def read(self, resource: Resource, keys: Sequence[str]) -> Mapping[str, Any]:
        """Key as text → the value as REST shows it; keys without one may be left out."""
        raise NotImplementedError

    def empty(self) -> Any:
        """The value of a record that has none."""
        raise NotImplementedError

    def write(self, actor: Actor, resource: Resource, record: Model, value: Any) -> Changes:
        """Keep a valid value, in the caller's transaction. Raises ValidationError naming the field."""
        raise NotImplementedError

    def takes(self, parameter: str) -> bool:
        """Whether this parameter of a list is this field's."""
        raise NotImplementedError

    def narrow(self, resource: Resource, found: QuerySet[Any], name: str, values: list[str]) -> QuerySet[Any]:
        """The records that the parameter asks for. Raises BadQuery."""
        raise NotImplementedError

    def ordering(self, resource: Resource, name: str) -> Any:  # noqa: ARG002
        """The column that lists are ordered by under this name; None where there is none."""
        return None


class ExtraField(serializers.Field[Any, Any, Any, Any]):
    """Shows what `gather` has put on the record."""

    def get_attribute(self, instance: Any) -> Any:
        """The value as it is shown."""
        parent: Any = self.parent
        return value_of(parent.resource, instance, str(self.field_name))

    def to_representation(self, value: Any) -> Any:
        """It is in its shape already."""
        return value


_extras: dict[str, Extra] = {}
#: told of every record that was removed: its kind, and its key as text
when_gone: list[Callable[[Resource, str], None]] = []


def add(extra: Extra) -> None:
    """Give every kind this field."""
    _extras[extra.name] = extra


def every() -> tuple[Extra, ...]:
    """All such fields. They are added by the domains' `resources`."""
    iter(registry)
    return tuple(_extras.values())


def of(resource: Resource) -> list[Extra]:
    """Those of a kind: all whose name it does not use for a field of its own."""
    return [e for e in every() if e.name not in resource.fields]


def gather(resource: Resource, records: Iterable[Any], names: Iterable[str] | None = None) -> None:
    """Read the fields of these records, a query or two each, and put them on the records."""
    fresh = [r for r in records if isinstance(r, Model)]
    keys = [str(r.pk) for r in fresh]
    for extra in of(resource) if fresh else ():
        if names is None or extra.name in names:
            found = extra.read(resource, keys)
            for record, key in zip(fresh, keys, strict=True):
                record.__dict__.setdefault("_extras", {})[extra.name] = found.get(key, extra.empty())


def value_of(resource: Resource, record: Any, name: str) -> Any:
    """One field of a record, read now if it was not gathered."""
    if name not in record.__dict__.get("_extras", {}):
        gather(resource, [record], (name,))
    return record.__dict__["_extras"][name]


def taken(data: dict[str, Any]) -> dict[str, Any]:
    """The fields' values, taken out of what is valid, so that only the kind's own are left."""
    return {name: data.pop(name) for name in _extras if name in data}


def write(actor: Actor, resource: Resource, record: Any, values: Mapping[str, Any]) -> Changes:
    """Keep these values. Before and after hold what has changed."""
    before, after = dict[str, Any](), dict[str, Any]()
    for name, value in values.items():
        was, now = _extras[name].write(actor, resource, record, value)
        before, after = before | was, after | now
    record.__dict__.pop("_extras", None)
    return before, after


def state_of(resource: Resource, record: Any) -> dict[str, Any]:
    """The fields that are set, for the audit trail."""
    gather(resource, [record])
    return {name: value for name, value in record.__dict__.get("_extras", {}).items() if value}


def gone(resource: Resource, key: Any) -> None:
    """The record was removed."""
    for forget in when_gone:
        forget(resource, str(key))


def narrow(
    resource: Resource, found: QuerySet[Any], given: MultiValueDict[str, str]
) -> tuple[QuerySet[Any], frozenset[str]]:
    """The records that the fields' own parameters ask for, and which parameters those were."""
    used = frozenset(name for name in given if any(e.takes(name) for e in every()))
    for name, extra in _asked(used):
        found = extra.narrow(resource, found, name, given.getlist(name))
    return found, used


def ordering(resource: Resource, name: str) -> Any:
    """As the field says that takes this name; None where there is none."""
    return next((e.ordering(resource, name) for e in of(resource) if e.takes(name)), None)


def _asked(used: Iterable[str]) -> Iterator[tuple[str, Extra]]:
    for name in sorted(used):
        yield name, next(e for e in every() if e.takes(name))
