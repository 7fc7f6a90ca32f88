"""A declared record as a row that `exchange.planning` takes: found by its natural key, secrets fetched, names of several
records as their ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

from watchkeeper.exchange.documents import Document, Fault
from watchkeeper.exchange.natural_keys import key_of_one, matching, natural_key, references
from watchkeeper.exchange.planning import unknown
from watchkeeper.exchange.references import as_key
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import told
from watchkeeper.kernel.resource import Resource
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

#: fetches what `{env: NAME}` or `{file: path}` stands for: "env" or "file", and the word. Raises Malformed.
Fetch = Callable[[str, str], str]


class Wrong(Exception):
    """Something is wrong with a document."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


def row_of(resource: Resource, actor: Actor, document: Document, fetch: Fetch) -> dict[str, Any]:
    """The spec with ids in the place of names in lists, and with secrets. Raises Wrong."""
    if doing.journaled(resource.create) or not resource.allow & {"create", "change"}:
        raise Wrong(document.fault("kind", f"{resource.plural} cannot be declared"))
    row, faults = dict(document.spec), list[Fault]()
    for name, found, many in references(resource, actor):
        if isinstance(row.get(name), list if many else dict):
            try:
                row[name] = _keys(found, actor, row[name]) if many else matching(found, actor, row[name])
            except serializers.ValidationError as error:
                faults += [document.fault(name, words) for _, words in told(error.detail)]
    for name in secrets_of(resource) & row.keys():
        try:
            row[name] = _fetched(row[name], fetch)
        except WatchkeeperError as error:
            faults.append(document.fault(name, error.detail))
    if faults:
        raise Wrong(*faults)
    return row


def secrets_of(resource: Resource) -> set[str]:
    """The fields that are written and never shown."""
    made: Any = serializer_of(resource)()
    return {n for n, f in made.fields.items() if f.write_only}


def found_by(resource: Resource, actor: Actor, document: Document, row: Mapping[str, Any]) -> Any:
    """The record that is declared; None where it has to be made. Raises Wrong."""
    names = document.match or natural_key(resource)
    if not names:
        words = "there is nothing that tells such records apart; say it with `match:`, a list of fields"
        raise Wrong(document.fault("kind", words))
    where: dict[str, Any] = {}
    made: Any = serializer_of(resource)(context={"actor": actor})
    columns = {f.name: f for f in resource.model._meta.concrete_fields}
    for name in names:
        if name not in columns or name not in made.fields:
            raise Wrong(
                document.fault("match", f"{name}: {unknown(resource, name, columns.keys() & made.fields)}")
            )
        where |= _condition(document, actor, columns[name], made.fields[name], row)
    found = list(visible(actor, resource).filter(**where)[:2])
    if len(found) > 1:
        told_by = " and ".join(names)
        words = f"several {resource.plural} have this {told_by}; name more fields under `match:`"
        raise Wrong(document.fault(names[0], words))
    return found[0] if found else None


def _condition(
    document: Document, actor: Actor, column: Any, field: Any, row: Mapping[str, Any]
) -> dict[str, Any]:
    name = str(column.name)
    value = row.get(name)
    if value is None and (name in row or name not in document.spec) and column.null:
        return {f"{name}__isnull": True}
    if value in (None, ""):
        if value == "" or not column.has_default():
            raise Wrong(document.fault(name, "is needed to find the record"))
        value = column.get_default()
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        try:
            return {name: key_of_one(field.get_queryset(), actor, value)}
        except serializers.ValidationError as error:
            raise Wrong(*(document.fault(name, words) for _, words in told(error.detail))) from error
    if isinstance(value, list | dict):
        raise Wrong(document.fault(name, "has to be one value"))
    return {name: as_key(column, value.strip() if isinstance(value, str) else value)}


def _keys(found: Any, actor: Actor, values: list[Any]) -> list[Any]:
    """The ids of these records, in the order in which a list of them is shown. Raises ValidationError."""
    keys = [key_of_one(found, actor, v) for v in values]
    ordered = found.filter(pk__in=keys).values_list("pk", flat=True)
    return [plain(pk) for pk in (ordered if len(keys) > 1 else keys)]


def _fetched(value: Any, fetch: Fetch) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        ((way, word),) = value.items()
        if way in ("env", "file") and isinstance(word, str):
            return fetch(way, word)
    return value
