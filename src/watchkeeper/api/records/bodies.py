"""What a body may say: nothing that the kind does not know, and nothing that cannot be sent, unless it says what is
so already; so a record that was read can be sent back as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from rest_framework import serializers

from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.resource import Resource

_UNKNOWN = "There is no such field."
_READ_ONLY = "This cannot be set."
_WHEN_MADE = "This is set when the record is made, and stays."


def refusals(
    resource: Resource, serializer: Any, data: Any, shown: Callable[[], Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Field → what is wrong with sending it. `shown` gives the record as it is; there is none yet when it is
    to be made."""
    errors = unknown(serializer, data)
    if not isinstance(data, Mapping):
        return errors
    for name, field in serializer.fields.items():
        fixed = field.read_only or (shown is not None and name in resource.create_only)
        if name not in data or not fixed:
            continue
        if shown is None or plain(data[name]) != plain(shown()).get(name):
            errors[name] = [_READ_ONLY if field.read_only else _when_made(resource, name)]
    return errors


def _when_made(resource: Resource, name: str) -> str:
    ways = [a.name for a in resource.actions if getattr(a.run, "moves", "") == name]
    return f"Actions change this: {', '.join(ways)}." if ways else _WHEN_MADE


def unknown(field: Any, data: Any) -> dict[Any, Any]:
    """Names in a body, at any depth, that the serializer does not have."""
    if isinstance(field, serializers.ListSerializer) and isinstance(data, list):
        rows = {n: unknown(field.child, row) for n, row in enumerate(data)}
        return {n: errors for n, errors in rows.items() if errors}
    if not isinstance(field, serializers.Serializer) or not isinstance(data, Mapping):
        return {}
    out: dict[Any, Any] = {str(n): [_UNKNOWN] for n in data if n not in field.fields}
    for name, inner in field.fields.items():
        if name in data and not inner.read_only and (errors := unknown(inner, data[name])):
            out[name] = errors
    return out


def validate(serializer: Any, refused: Mapping[str, Any]) -> None:
    """Raises ValidationError with what the serializer finds wrong and what is refused, all at once."""
    valid = serializer.is_valid()
    if refused or not valid:
        raise serializers.ValidationError({**serializer.errors, **refused})


def make_whole(resource: Resource, serializer: Any) -> None:
    """PUT: what a valid body does not say goes back to what it is in a new record. Secrets, which nobody can
    read and send back, stay."""
    own: dict[str, Any] = {f.name: f for f in resource.model._meta.concrete_fields}
    for name in resource.writable:
        field = serializer.fields.get(name)
        if field is None or field.read_only or field.write_only or name in serializer.initial_data:
            continue
        column = own.get(field.source)
        if column is not None and not isinstance(column, models.ForeignKey):
            serializer.validated_data.setdefault(field.source, column.get_default())
