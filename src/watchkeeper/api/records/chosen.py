"""`fields` and `omit`: which fields of the records an answer shows. What is left out is not worked out either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.serializers import ListSerializer, ManyRelatedField, Serializer, SlugRelatedField

from watchkeeper.kernel.extras import ExtraField
from watchkeeper.kernel.problems import BadQuery


def chosen(parameters: Mapping[str, str], known: Sequence[str]) -> tuple[str, ...]:
    """The fields asked for, in the order of the declaration. Raises BadQuery."""
    asked = {name: _names(parameters, name, known) for name in ("fields", "omit")}
    wanted = asked["fields"] or set(known)
    return tuple(n for n in known if n in wanted - asked["omit"])


def _names(parameters: Mapping[str, str], parameter: str, known: Sequence[str]) -> set[str]:
    names = {n.strip() for n in parameters.get(parameter, "").split(",") if n.strip()}
    if strange := names - set(known):
        raise BadQuery(
            f"{min(strange)!r} is not a field here; there are: {', '.join(sorted(known))}", parameter
        )
    return names


def keep(serializer: Any, names: Iterable[str]) -> Any:
    """The serializer with these fields only."""
    for name in set(serializer.fields) - set(names):
        serializer.fields.pop(name)
    return serializer


def only(found: QuerySet[Any], serializer: Any) -> QuerySet[Any]:
    """The queryset without the columns and joins that this serializer does not read, where that is certain: when it
    shows nothing but columns of the record's own, in its fields' way, a name of what these refer to, and lists of what
    belongs to it."""
    if type(serializer).to_representation is not Serializer.to_representation:
        return found
    columns = {f.name for f in found.model._meta.concrete_fields}
    shown = [f for f in serializer.fields.values() if not isinstance(f, ExtraField)]
    named = {f.source: f"{f.source}__{f.slug_field}" for f in shown if isinstance(f, SlugRelatedField)}
    lists = [f for f in shown if isinstance(f, ListSerializer | ManyRelatedField)]
    if not all(f.source in columns or f in lists for f in shown):
        return found
    ordered_by = {str(n).lstrip("-") for n in found.query.order_by}
    read = ({f.source for f in shown} | ordered_by) & columns
    found = found.select_related(None).select_related(*named) if named else found.select_related(None)
    return (found if lists else found.prefetch_related(None)).only(*read, *named.values())


def show(rows: list[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows with these fields; a serializer that writes its own representation may give more than was asked for."""
    wanted = set(names)
    if not rows or rows[0].keys() <= wanted:
        return rows
    return [{k: v for k, v in row.items() if k in wanted} for row in rows]
