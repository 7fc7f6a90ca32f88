"""By what a record is known outside this installation, where ids mean nothing: its name, or the fields that only one
record of its kind may share. And in what order declared records can be made, as they refer to one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db.models import QuerySet, UniqueConstraint
from rest_framework import serializers

from watchkeeper.exchange.documents import Document, Faulty
from watchkeeper.exchange.planning import inputs, matchable
from watchkeeper.exchange.references import NAMES, References, as_key, named, names_of
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of


@lru_cache(maxsize=256)
def natural_key(resource: Resource) -> tuple[str, ...]:
    """The fields that tell its records apart, all of them writable: a unique name, else what must be unique together,
    else whatever is unique, else a name. () where there are none, and so nothing to declare."""
    writable = set(inputs(resource))
    columns = {f.name: f for f in resource.model._meta.concrete_fields if f.name in writable}
    unique = [(n,) for n, f in columns.items() if f.unique]
    together = [
        tuple(c.fields) for c in resource.model._meta.constraints
        if isinstance(c, UniqueConstraint) and c.condition is None and c.fields and columns.keys() >= set(c.fields)
    ]  # fmt: skip
    named = [(n,) for n in NAMES if n in columns]
    best = [u for u in unique if u in named]
    return next(iter((*best, *together, *unique, *named)), ())


def declarable(resource: Resource) -> bool:
    """Whether records of this kind can be declared: they are made and changed by people, not through the journal."""
    made = doing.for_people(resource) and not doing.journaled(resource.create)
    return made and "change" in resource.allow and bool(natural_key(resource))


def references(resource: Resource, actor: Actor) -> Iterator[tuple[str, Any, bool]]:
    """The writable fields that refer to other records: name, what this actor may refer to, and whether to several."""
    made: Any = serializer_of(resource)(context={"actor": actor})
    for name, f in made.fields.items():
        if f.read_only:
            continue
        if isinstance(f, serializers.ManyRelatedField):
            yield name, f.child_relation.get_queryset(), True
        elif isinstance(f, serializers.PrimaryKeyRelatedField):
            yield name, f.get_queryset(), False


def matching(found: QuerySet[Any], actor: Actor, told: Mapping[str, Any]) -> Any:
    """The key of the one record of these that has these values: `{manufacturer: Acme, model: C9300}`. Raises
    ValidationError."""
    resource, kind = registry.of(found.model), found.model._meta.verbose_name
    fit = matchable(resource) if resource else []
    where: dict[str, Any] = {}
    for name, value in told.items():
        if name not in fit:
            raise serializers.ValidationError(
                f"a {kind} is not found by {name!r}; there are: {', '.join(fit)}"
            )
        column = found.model._meta.get_field(name)
        where |= {f"{name}__isnull": True} if value is None else {name: _value(column, actor, value)}
    keys = list(found.filter(**where).values_list("pk", flat=True)[:2]) if where else []
    if len(keys) != 1:
        words = "several records are" if keys else f"there is no {kind} that is"
        raise serializers.ValidationError(f"{words} {', '.join(f'{n}: {v}' for n, v in told.items())}")
    return plain(keys[0])


def _value(column: Any, actor: Actor, value: Any) -> Any:
    if not column.is_relation:
        return as_key(column, value)
    kind = registry.of(column.related_model)
    return key_of_one(
        visible(actor, kind) if kind else column.related_model._default_manager.all(), actor, value
    )


def key_of_one(found: QuerySet[Any], actor: Actor, value: Any) -> Any:
    """The key of the record that a value refers to: an id, a name, or a mapping of fields. Raises ValidationError."""
    if isinstance(value, dict):
        return matching(found, actor, value)
    known = References(found)
    known.read([value])
    return plain(known.get(value).pk)


def told_by(found: QuerySet[Any], actor: Actor, keys: Iterable[Any]) -> dict[str, Any]:
    """Keys of these records, as text, → how a document refers to them: the name, where only one has it, else the
    fields of their natural key. Those that have neither are left out."""
    wanted = {k for v in keys for k in (v if isinstance(v, list) else [v]) if k}
    told: dict[str, Any] = dict(names_of(found, wanted))
    resource = registry.of(found.model)
    key = natural_key(resource) if resource else ()
    left = [k for k in wanted if str(k) not in told]
    if not left or len(key) < 2:
        return told
    rows = list(found.filter(pk__in=left).values_list("pk", *key))
    columns = [found.model._meta.get_field(n) for n in key]
    for place, column in enumerate(columns, 1):
        if column.is_relation:
            kind: Any = registry.of(column.related_model)
            inner = told_by(visible(actor, kind), actor, [r[place] for r in rows])
            rows = [(*r[:place], named(inner, r[place]), *r[place + 1 :]) for r in rows]
    return told | {str(pk): plain(dict(zip(key, values, strict=True))) for pk, *values in rows}


def in_order(documents: Sequence[Document], actor: Actor) -> list[tuple[Document, list[Document]]]:
    """Each after those that it refers to, which come with it. Their kinds are known. Raises Faulty for a circle."""
    called: dict[str, list[int]] = {}
    for number, one in enumerate(documents):
        for field in NAMES:
            if isinstance(value := one.spec.get(field), str):
                called.setdefault(value, []).append(number)
    fields = [n for n, d in enumerate(documents) if d.kind == "custom-fields"]
    after = {
        n: list(
            dict.fromkeys(
                [*_referred(d, documents, called, actor), *(fields if "custom_fields" in d.spec else ())]
            )
        )
        for n, d in enumerate(documents)
    }
    try:
        order = list(TopologicalSorter(after).static_order())
    except CycleError as error:
        circle = [documents[n] for n in error.args[1]]
        words = " → ".join(f"{d.kind} {d.spec.get('name', d.number)}" for d in circle)
        raise Faulty([circle[0].fault("", f"they refer to each other in a circle: {words}")]) from error
    return [(documents[n], [documents[m] for m in after[n]]) for n in order]


def _referred(
    one: Document, documents: Sequence[Document], called: dict[str, list[int]], actor: Actor
) -> Iterator[int]:
    for field, found, many in references(registry[one.kind], actor):
        value = one.spec.get(field)
        for word in value if many and isinstance(value, list) else [value]:
            for number in _meant(word, documents, called):
                if (
                    issubclass(registry[documents[number].kind].model, found.model)
                    and documents[number] is not one
                ):
                    yield number


def _meant(word: Any, documents: Sequence[Document], called: dict[str, list[int]]) -> Iterable[int]:
    """The documents that a reference may mean, of whatever kind."""
    if isinstance(word, dict):
        return [n for n, d in enumerate(documents) if all(d.spec.get(k) == v for k, v in word.items())]
    return called.get(word, ()) if isinstance(word, str) else ()
