"""Many records at once, all or none, in one transaction, each audited as if it came alone.

A kind whose hook is `journaled` cannot do that: what has gone into the journal is not taken back. An action that is can:
its acts go there together, once all are known to be allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ValidationError as Unfit
from django.db import models, transaction
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from watchkeeper.kernel import audit, doing, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import Rejected
from watchkeeper.kernel.resource import Action, Done, Resource
from watchkeeper.kernel.versions import lock
from watchkeeper.model.errors import WatchkeeperError

MOST = 1000


@dataclass
class Given:
    """One row that is valid, in the shape in which `doing` takes a serializer."""

    validated_data: dict[str, Any]
    save: Callable[[], Any]


class Many(Protocol):
    """Makes many records of a kind ready before the transaction that writes them. A kind has it when its `create`
    hook has an attribute `many`, which is called without arguments for every import."""

    def ready(self, actor: Actor, rows: Sequence[dict[str, Any]]) -> list[tuple[Model, ...] | None]:
        """For each row the record, with its key, and after it what else is to be inserted, all as they go into the
        database. None for a row that needs the hook itself: it depends on others, or something is wrong with it."""
        ...

    def written(self, records: Sequence[Model]) -> None:
        """Called in the transaction, when these records are in the database."""
        ...


def offers(resource: Resource, verb: str) -> bool:
    """Whether many can be made, changed or removed at once."""
    return verb in resource.allow and not doing.journaled(getattr(resource, verb))


def actions(resource: Resource) -> tuple[Action, ...]:
    """What can be done with many at once."""
    return tuple(a for a in resource.actions if a.bulk)


def each(rows: Sequence[Any], do: Callable[[Any], Any]) -> list[Any]:
    """`do` with every row. Raises Rejected, after the last row, with what is wrong in which."""
    done, errors, status = list[Any](), dict[str, Any](), 400
    for number, row in enumerate(rows):
        try:
            done.append(do(row))
        except ValidationError as error:
            errors[str(number)] = error.detail
        except WatchkeeperError as error:
            named = getattr(error, "more", {}).get("errors")
            errors[str(number)], status = named or {"non_field_errors": [error.detail]}, error.status
    if errors:
        raise Rejected(errors, status)
    return done


def create(resource: Resource, actor: Actor, serializer: Any, rows: Sequence[dict[str, Any]]) -> list[Any]:
    """New records from what a serializer of the kind has made of each row."""
    require(actor, "create", resource)
    with transaction.atomic(), audit.together():
        if _plain(resource, serializer):
            return _inserted(resource, actor, rows)
        return each(
            rows, lambda row: doing.create(resource, actor, Given(row, lambda: serializer.create(row)))
        )


def _plain(resource: Resource, serializer: Any) -> bool:
    """Whether a record of this kind is a row and no more: no hook, no table of a parent, no code on saving."""
    return (
        resource.create is None
        and isinstance(serializer, serializers.ModelSerializer)
        and type(serializer).create is serializers.ModelSerializer.create
        and resource.model.save is models.Model.save
        and not resource.model._meta.parents
        and not resource.model._meta.many_to_many
    )


def _inserted(resource: Resource, actor: Actor, rows: Sequence[dict[str, Any]]) -> list[Any]:
    more = [extras.taken(row) for row in rows]
    made: list[Any] = resource.model._default_manager.bulk_create([resource.model(**row) for row in rows])
    each(made, lambda obj: require(actor, "create", resource, obj))
    added = each(list(zip(made, more, strict=True)), lambda pair: extras.write(actor, resource, *pair)[1])
    for obj, its in zip(made, added, strict=True):
        audit.record(actor, doing.verb(resource, "create"), obj, after={**audit.state_of(obj), **its})
    return made


def change(
    resource: Resource,
    actor: Actor,
    among: QuerySet[Any],
    rows: Sequence[Any],
    serializer: Callable[[Any, Any], Any],
) -> list[Any]:
    """The records named by the `id` of each row, changed as `serializer(record, row)` says, which is valid or raises
    ValidationError. Raises Rejected."""

    def do(row: Any) -> Any:
        obj = _one(resource, found, row.get("id") if isinstance(row, dict) else None)
        return doing.change(resource, actor, obj, serializer(obj, row))

    with transaction.atomic(), audit.together():
        found = _locked(resource, among, [row.get("id") for row in rows if isinstance(row, dict)])
        return each(rows, do)


def annotate(
    resource: Resource, actor: Actor, among: QuerySet[Any], ids: Sequence[Any], values: Callable[[Any], Any]
) -> None:
    """Set what every kind has beside its own fields, of each record as `values(record)` says. Raises Rejected."""

    def do(pk: Any) -> None:
        obj = _one(resource, found, pk)
        doing.annotate(resource, actor, obj, values(obj))

    with transaction.atomic(), audit.together():
        found = _locked(resource, among, ids)
        extras.gather(resource, found.values())
        each(ids, do)


def remove(resource: Resource, actor: Actor, among: QuerySet[Any], ids: Sequence[Any]) -> None:
    """Remove the records with these ids. Raises Rejected."""
    with transaction.atomic(), audit.together():
        found = _locked(resource, among, ids)
        each(ids, lambda pk: doing.remove(resource, actor, _one(resource, found, pk)))


def act(
    resource: Resource,
    actor: Actor,
    action: Action,
    among: QuerySet[Any],
    ids: Sequence[Any],
    data: dict[str, Any],
) -> list[Done]:
    """Do something with each of the records with these ids; `pending` where it is on its way. Raises Rejected."""
    alone = doing.journaled(action.run)
    with nullcontext() if alone else transaction.atomic(), audit.together(), ports.together():
        found = _locked(resource, among, ids, alone=alone)
        return each(ids, lambda pk: doing.act(resource, action, actor, _one(resource, found, pk), {**data}))


def key_of(model: type[models.Model], sent: Any) -> Any:
    """What was sent as a key of this model; None when it can be none."""
    if isinstance(sent, bool) or not isinstance(sent, str | int) or "\x00" in str(sent):
        return None
    try:
        key = model._meta.pk.to_python(sent)
    except Unfit:
        return None
    return None if isinstance(key, int) and abs(key) >= 2**63 else key


def _locked(
    resource: Resource, among: QuerySet[Any], ids: Sequence[Any], alone: bool = False
) -> dict[Any, Any]:
    """The records with these ids, not locked where no transaction is around. Raises Rejected for one named twice."""
    keys = [key_of(resource.model, pk) for pk in ids]
    often = {k for k, n in Counter(keys).items() if n > 1 and k is not None}
    if twice := {str(n): {"id": ["This record is named twice."]} for n, k in enumerate(keys) if k in often}:
        raise Rejected(twice)
    found: dict[Any, Any] = among.in_bulk([k for k in keys if k is not None])
    if found and not alone and lock(*found.values()):
        found = among.in_bulk(list(found))
    return found


def _one(resource: Resource, found: dict[Any, Any], sent: Any) -> Any:
    """Raises ValidationError when there is no record with this id."""
    key = key_of(resource.model, sent)
    if key not in found:
        raise ValidationError({"id": [f"There is no record {sent!r}."]})
    return found[key]
