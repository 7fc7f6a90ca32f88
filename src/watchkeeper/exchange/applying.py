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
from watchkeeper.kernel.bulk import Many
from watchkeeper.kernel.permissions import authority, require
from watchkeeper.kernel.problems import Refused, told
from watchkeeper.kernel.resource import Resource
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.kernel.upserts import row_of, upsert
from watchkeeper.model.errors import WatchkeeperError


@dataclass
class Applied:
    """What was done: the keys of the records made by the rows that they come from, how many were changed, and the
    secrets that are shown once, by the title of their record."""

    made: dict[int, Any] = field(default_factory=dict)
    changed: int = 0
    once: dict[str, dict[str, Any]] = field(default_factory=dict)
    pending: bool = False  # on its way through the journal, not yet a record


def apply(plan: Plan, actor: Actor, progress: Progress = lambda _: None) -> Applied:
    """Do what the plan says in one transaction, each record audited. Raises a WatchkeeperError naming the row,
    also when a record is not any more what the plan saw; then nothing has changed."""
    made = ready(plan, actor, progress)
    alone = doing.journaled(plan.resource.create)  # then it is one, and what applies it has to see it
    with nullcontext() if alone else transaction.atomic():
        return made.write(progress)


def ready(plan: Plan, actor: Actor, progress: Progress = lambda _: None) -> Ready:
    """Make everything ready that can be before the transaction, so that it is short: the database has one writer, and
    alerts wait for it. Raises a WatchkeeperError; nothing is written here."""
    if plan.wrong:
        raise Refused("it has errors, so nothing of it is done")
    made = Ready(plan, actor)
    for chunk in chunks(plan.creates):
        made.prepare(chunk)
        progress(len(chunk) - len(made.rest))
    return made


@dataclass
class Ready:
    """A plan whose new records are rows already, where their kind can do that; `rest` is done one by one."""

    plan: Plan
    actor: Actor
    rest: list[Step] = field(default_factory=list)
    records: dict[int, Any] = field(default_factory=dict)  # by their rows
    tables: dict[Any, list[tuple[Any, ...]]] = field(default_factory=dict)  # in the order of their insertion
    attached: list[tuple[Any, dict[str, Any]]] = field(
        default_factory=list
    )  # tags and custom fields of records
    told: list[audit.Gathered] = field(default_factory=list)  # audit entries that are events

    def __post_init__(self) -> None:
        many = getattr(self.plan.resource.create, "many", None)
        self.many: Many | None = many() if many is not None else None
        self.each = authority().decide(self.actor, "create", self.plan.resource).partly

    def prepare(self, steps: list[Step]) -> None:
        """Make these ready. Raises a WatchkeeperError naming the row."""
        resource, actor = self.plan.resource, self.actor
        require(actor, "create", resource)
        if self.many is None:
            self.rest += steps
            return
        rows = [dict(s.data) for s in steps]
        attached = [extras.taken(row) for row in rows]
        found = self.many.ready(actor, rows)
        with audit.gathered() as kept:
            for step, made, values in zip(steps, found, attached, strict=True):
                if made is None:
                    self.rest.append(step)
                    continue
                if self.each:
                    _in_row(step, partial(require, actor, "create", resource, made[0]))
                given = {name: value for name, value in values.items() if value}
                after = {**audit.state_of(made[0]), **given}
                audit.record(actor, doing.verb(resource, "create"), made[0], after=after)
                self.records[step.row] = made[0]
                if given:
                    self.attached.append((made[0], given))
                for part in made:
                    self._insert(part)
        if kept.told:  # there are event rules for the kind
            self.told.append(kept)
            return
        for entry in kept.entries:
            self._insert(entry)

    def _insert(self, record: Any) -> None:
        model = type(record)
        for table in (*reversed(model._meta.get_parent_list()), model):
            self.tables.setdefault(table, []).append(row_of(table, record))

    def write(self, progress: Progress = lambda _: None) -> Applied:
        """All of it, in the caller's transaction. Raises a WatchkeeperError naming the row."""
        applied = Applied(made={row: r.pk for row, r in self.records.items()})
        for chunk in chunks(self.plan.changes):
            with audit.together():
                _change(self.plan.resource, self.actor, chunk)
            applied.changed += len(chunk)
            progress(len(chunk))
        try:
            for table, rows in self.tables.items():
                upsert(table, rows)
        except IntegrityError as error:
            raise Refused(f"records have changed meanwhile, or two rows clash: {error}") from error
        for record, values in self.attached:
            extras.write(self.actor, self.plan.resource, record, values)
        for kept in self.told:
            audit.write(kept)
        if self.many is not None:
            self.many.written(list(self.records.values()))
        for chunk in chunks(self.rest):
            with audit.together():
                _create(self.plan.resource, self.actor, chunk, applied)
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
        ready = Valid(dict(step.data), partial(serializer.update, record))
        _in_row(step, partial(doing.change, resource, actor, record, ready))


def _create(resource: Resource, actor: Actor, steps: list[Step], applied: Applied) -> None:
    serializer: Any = serializer_of(resource)()
    for step in steps:
        made = _in_row(
            step, partial(doing.create, resource, actor, Valid(dict(step.data), serializer.create))
        )
        applied.made[step.row] = made.pk
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
class Valid:
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
