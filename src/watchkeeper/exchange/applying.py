"""Does what a Plan says, all or none and audited record by record; and gives the rows of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from rest_framework import serializers

from watchkeeper.exchange.planning import CHUNK, HIDDEN, Plan, Progress, Step, chunks
from watchkeeper.kernel import audit, doing, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.problems import Refused, told
from watchkeeper.kernel.resource import Resource
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError


@dataclass
class Applied:
    """What was done: the keys of the records made, how many were changed, and the secrets that are shown once,
    by the title of their record."""

    made: list[Any] = field(default_factory=list)
    changed: int = 0
    once: dict[str, dict[str, Any]] = field(default_factory=dict)
    pending: bool = False  # on its way through the journal, not yet a record


def apply(plan: Plan, actor: Actor, progress: Progress = lambda _: None) -> Applied:
    """Do what the plan says in one transaction, each record audited. Raises a WatchkeeperError naming the row,
    also when a record is not any more what the plan saw; then nothing has changed."""
    if plan.wrong:
        raise Refused("it has errors, so nothing of it is done")
    alone = doing.journaled(plan.resource.create)  # then it is one, and what applies it has to see it
    applied = Applied()
    with nullcontext() if alone else transaction.atomic():
        for chunk in chunks(plan.changes):
            with audit.together():
                _change(plan.resource, actor, chunk)
            applied.changed += len(chunk)
            progress(len(chunk))
        for chunk in chunks(plan.creates):
            with audit.together():
                _create(plan.resource, actor, chunk, applied)
            progress(len(chunk))
    return applied


def _change(resource: Resource, actor: Actor, steps: list[Step]) -> None:
    serializer: Any = serializer_of(resource)()
    known = resource.queryset().filter(pk__in=[s.key for s in steps]).select_for_update(of=("self",))
    records = {r.pk: r for r in known}
    extras.gather(resource, records.values())
    for step in steps:
        record = records.get(step.key)
        if record is None or not _as_planned(serializer, record, step):
            raise Refused(f"row {step.row}: {step.title!r} has changed meanwhile; look at it again")
        ready = Ready(dict(step.data), partial(serializer.update, record))
        _in_row(step, partial(doing.change, resource, actor, record, ready))


def _create(resource: Resource, actor: Actor, steps: list[Step], applied: Applied) -> None:
    serializer: Any = serializer_of(resource)()
    for step in steps:
        made = _in_row(
            step, partial(doing.create, resource, actor, Ready(dict(step.data), serializer.create))
        )
        applied.made.append(made.pk)
        applied.pending = applied.pending or made._state.adding
        if shown := getattr(made, "shown_once", None):
            applied.once[resource.title(made)] = shown


def rows_of(resource: Resource, found: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Records as REST shows them, without a query a record."""
    shape: Any = serializer_of(resource)
    for chunk in chunks(found.iterator(chunk_size=CHUNK)):
        yield from plain(shape(chunk, many=True).data)


def columns_of(resource: Resource) -> list[str]:
    """The columns of an export: every field that may be shown."""
    made: Any = serializer_of(resource)()
    return [name for name, f in made.fields.items() if not f.write_only]


@dataclass(frozen=True, slots=True)
class Ready:
    """Stands in for a serializer that was valid when the plan was made."""

    validated_data: dict[str, Any]
    keep: Callable[[dict[str, Any]], Any]

    def save(self) -> Any:
        """The record, written."""
        return self.keep(self.validated_data)


def _in_row(step: Step, do: Callable[[], Any]) -> Any:
    try:
        return do()
    except WatchkeeperError as error:
        error.detail = f"row {step.row}: {error.detail}"
        raise
    except serializers.ValidationError as error:
        raise Refused(f"row {step.row}: " + "; ".join(f"{n}: {d}" for n, d in told(error.detail))) from error
    except IntegrityError as error:
        raise Refused(f"row {step.row}: {step.title!r} clashes with another record: {error}") from error


def _as_planned(serializer: Any, record: Any, step: Step) -> bool:
    now = plain(serializer.to_representation(record))
    return all(now.get(name, HIDDEN) in (before, HIDDEN) for name, (before, _) in step.values.items())
