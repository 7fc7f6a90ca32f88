"""Many records at once, all or none, in one transaction, each audited as if it came alone.

A kind whose hook is `journaled` cannot do that: what has gone into the journal is not taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from watchkeeper.kernel import audit, doing, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Rejected
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import WatchkeeperError

MOST = 1000


@dataclass
class Given:
    """One row that is valid, in the shape in which `doing` takes a serializer."""

    validated_data: dict[str, Any]
    save: Callable[[], Any]


def offers(resource: Resource, verb: str) -> bool:
    """Whether many can be made, changed or removed at once."""
    return verb in resource.allow and not doing.journaled(getattr(resource, verb))


def each(rows: Sequence[Any], do: Callable[[Any], Any]) -> list[Any]:
    """`do` with every row. Raises Rejected, after the last row, with what is wrong in which."""
    done, errors, status = list[Any](), dict[str, Any](), 400
    for number, row in enumerate(rows):
        try:
            done.append(do(row))
        except ValidationError as error:
            errors[str(number)] = error.detail
        except WatchkeeperError as error:
            errors[str(number)], status = {"non_field_errors": [error.detail]}, error.status
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
