"""References to other records, resolved for many rows at once: by id, or by a name that only one has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError as NoSuchValue
from django.db.models import Field, QuerySet
from rest_framework import serializers

NAMES = ("name", "username")


class References:
    """Takes the place of the queryset of a serializer's field, so that no row costs a query."""

    def __init__(self, found: QuerySet[Any]) -> None:
        self._found = found
        self._known: dict[str, list[Any]] = {}
        fields = {f.name for f in found.model._meta.concrete_fields}
        self._name = next((n for n in NAMES if n in fields), None)

    def read(self, values: Iterable[Any]) -> None:
        """Read the records that these ids or names may mean; those read before are forgotten."""
        texts = {str(v) for v in values if isinstance(v, str | int) and v != ""}
        keys = {t: k for t in texts if (k := as_key(self._found.model._meta.pk, t)) is not None}
        known = defaultdict(list, {str(r.pk): [r] for r in self._found.filter(pk__in=keys.values())})
        if self._name and (rest := texts - known.keys()):
            for record in self._found.filter(**{f"{self._name}__in": rest}):
                known[getattr(record, self._name)].append(record)
        self._known = known

    def get(self, pk: Any) -> Any:
        """The record. Raises ValidationError."""
        found = self._known.get(str(pk), ())
        kind = self._found.model._meta.verbose_name
        if len(found) > 1:
            raise serializers.ValidationError(f"{len(found)} records are called {pk!r}; give the id of one")
        if not found:
            raise serializers.ValidationError(f"there is no {kind} with the id or the name {pk!r}")
        return found[0]


def names_of(found: QuerySet[Any], keys: set[Any]) -> dict[str, str]:
    """Ids of these records, as text, → the name, where only one has it."""
    name = next((n for n in NAMES if n in {f.name for f in found.model._meta.concrete_fields}), None)
    if name is None or not keys:
        return {}
    called = dict(found.filter(pk__in=keys).values_list("pk", name))
    often = Counter(found.filter(**{f"{name}__in": set(called.values())}).values_list(name, flat=True))
    return {str(pk): word for pk, word in called.items() if word and often[word] == 1}


def named(names: Mapping[str, Any], value: Any) -> Any:
    """A reference, or a list of them, with the name in the place of an id that has one."""
    if isinstance(value, list):
        return [names.get(str(v), v) for v in value]
    return names.get(str(value), value)


def as_key(field: Field[Any, Any], value: Any) -> Any:
    """A value as this column holds it, for looking records up; None where it cannot be one."""
    try:
        key = field.to_python(value)
        field.run_validators(key)
    except NoSuchValue:
        return None
    return key
