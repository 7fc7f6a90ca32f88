"""Writes records as documents that `applying` takes: without ids, with names for what they refer to, without what a new
record has anyway, and with the name of a variable in the place of a secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml
from django.db.models import QuerySet

from watchkeeper.domains.configuration.rows import secrets_of
from watchkeeper.exchange.applying import rows_of
from watchkeeper.exchange.natural_keys import declarable, natural_key, references, told_by
from watchkeeper.exchange.planning import inputs, key_of
from watchkeeper.exchange.references import named
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of

_EMPTY: tuple[Any, ...] = (None, "", [], {})


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, so that a difference in them can be read."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def kinds() -> list[Resource]:
    """Every kind whose records can be declared."""
    return [r for r in registry if declarable(r)]


def documents(resource: Resource, found: QuerySet[Any], actor: Actor) -> Iterator[str]:
    """The records as text, a document each, in the order of their natural key. Raises Refused."""
    if not declarable(resource):
        raise Refused(f"{resource.plural} cannot be declared as code")
    if not resource.model._meta.parents and "declared" in {f.name for f in resource.model._meta.fields}:
        found = found.filter(declared="")  # the others are written as what they are: sites, racks, devices …
    key, secrets = natural_key(resource), secrets_of(resource)
    specs = sorted(
        _specs(resource, found, actor, secrets), key=lambda spec: (str([spec[n] for n in key]), str(spec))
    )
    often = Counter(str([spec[n] for n in key]) for spec in specs)
    references_ = [name for name, _, many in references(resource, actor) if not many]
    for spec in specs:
        told = [spec[n] for n in key]
        # Where several are called the same, what they belong to tells them apart.
        match = (
            [*(n for n in references_ if n in spec and n not in key), *key] if often[str(told)] > 1 else []
        )
        yield _text(resource, spec, match)


def _specs(
    resource: Resource, found: QuerySet[Any], actor: Actor, secrets: set[str]
) -> Iterator[dict[str, Any]]:
    """What is to be said of each record, its natural key first, its secrets last."""
    key, new, rows = natural_key(resource), _new(resource), list(rows_of(resource, found))
    fields = [n for n in inputs(resource) if n not in secrets and n != key_of(resource)]
    names = {n: told_by(among, actor, [r[n] for r in rows]) for n, among, _ in references(resource, actor)}
    set_ = _set(resource, found, secrets)
    for row in rows:
        said = [n for n in fields if n in key] + [
            n for n in fields if n not in key and not _omitted(n, row[n], new)
        ]
        spec = {n: named(names[n], row[n]) if n in names else row[n] for n in said}
        wanted = secrets & set_.get(str(row[key_of(resource)]), secrets)
        yield {**spec, **_secrets(resource, wanted, [spec[n] for n in key])}


def _set(resource: Resource, found: QuerySet[Any], secrets: set[str]) -> dict[str, set[str]]:
    """Key of a record → those of its secrets that are set, and those of which it cannot be seen."""
    sealed = [
        f.name
        for f in resource.model._meta.concrete_fields
        if f.name in secrets and isinstance(f, SealedField)
    ]
    unseen = secrets - set(sealed)
    rows = found.values_list("pk", *sealed) if sealed else ()
    return {
        str(key): {*unseen, *(n for n, v in zip(sealed, values, strict=True) if v)} for key, *values in rows
    }


def _text(resource: Resource, spec: dict[str, Any], match: list[str]) -> str:
    head: dict[str, Any] = {"kind": resource.path}
    if natural_key(resource) == ("name",):
        head["name"] = spec.pop("name")
    if match:
        head["match"] = match
    value = {**head, "spec": spec} if spec else head
    return "---\n" + yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def _omitted(name: str, value: Any, new: dict[str, Any]) -> bool:
    """Whether a new record has it without being told."""
    return value == new[name] if name in new else value in _EMPTY


def _new(resource: Resource) -> dict[str, Any]:
    """What a new record has in its plain columns, as REST shows it."""
    made: Any = serializer_of(resource)()
    fresh = resource.model()
    columns = {f.name: f for f in resource.model._meta.concrete_fields if not f.is_relation}
    out = {}
    for name, f in made.fields.items():
        if name in columns and not f.write_only and columns[name].has_default():
            value = getattr(fresh, name)
            out[name] = None if value is None else plain(f.to_representation(value))
    return out


def _secrets(resource: Resource, secrets: set[str], told: list[Any]) -> dict[str, Any]:
    """A variable to be set for each: nobody can read them."""
    words = "_".join([resource.path, *map(str, told)])
    return {
        n: {"env": re.sub(r"[^A-Z0-9]+", "_", f"{words}_{n}".upper())}
        for n in sorted(secrets)
    }  # fmt: skip
