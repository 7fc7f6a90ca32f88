"""Writes the audit trail: who did what to which record, when, from where, and what changed in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from django.db import models, transaction
from django.utils import timezone

from watchkeeper.kernel import events
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import registry

#: columns that hold secrets and are no SealedField, by their name or with the model's
_SECRET = frozenset(("password", "session_data", "session_key", "authenticator.data"))


@dataclass
class Gathered:
    """The entries of a block, the events that some of them are, and what was found out for them."""

    entries: list[AuditEntry] = field(default_factory=list)
    told: list[tuple[AuditEntry, str, dict[str, Any]]] = field(default_factory=list)
    wanted: dict[str, bool] = field(default_factory=dict)


_gathered: ContextVar[Gathered | None] = ContextVar("gathered", default=None)


def record(
    actor: Actor,
    act: str,
    subject: models.Model | None = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    event: bool = True,
) -> None:
    """Write one entry, in the transaction of the act, and with it the event of the record, unless the act has one
    of its own. Of before and after only what differs is kept."""
    own = _gathered.get() or Gathered()
    path = _path_of(type(subject)) if event and subject is not None else ""
    if path and path not in own.wanted:
        own.wanted[path] = bool(events.wanted((path,)))
    state = _state(act, subject, before, after) if subject is not None and own.wanted.get(path) else None
    if before is not None and after is not None:
        differs = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        before = {k: v for k, v in before.items() if k in differs}
        after = {k: v for k, v in after.items() if k in differs}
    entry = AuditEntry(
        at=timezone.now(),
        actor_kind=actor.kind,
        actor=actor.name[:200],
        actor_id=actor.id,
        address=actor.address,
        request_id=actor.request_id,
        act=act,
        kind=str(subject._meta.verbose_name) if subject is not None else "",
        record=str(subject.pk) if subject is not None else "",
        name=str(subject)[:200] if subject is not None else "",
        before=before,
        after=after,
    )
    own.entries.append(entry)
    if state is not None:
        own.told.append((entry, path, state))
    if own is not _gathered.get():
        write(own)


@contextmanager
def gathered() -> Iterator[Gathered]:
    """Keep the entries of this block, for the caller to `write`."""
    token = _gathered.set(kept := Gathered())
    try:
        yield kept
    finally:
        _gathered.reset(token)


@contextmanager
def together() -> Iterator[None]:
    """Write the entries of this block at its end, in one statement; for many acts in one transaction."""
    with gathered() as kept:
        yield
    write(kept)


def write(kept: Gathered) -> None:
    """Write gathered entries, and the events that they are."""
    with transaction.atomic() if kept.told else nullcontext():
        AuditEntry.objects.bulk_create(kept.entries)
        events.tell(events.event_of(*told) for told in kept.told)


@lru_cache(maxsize=256)
def _path_of(model: type[models.Model]) -> str:
    """Of the kind that this model is; "" where it is none."""
    resource = registry.of(model)
    return resource.path if resource else ""


def _state(
    act: str, subject: models.Model, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    """The record after the act."""
    match act.rpartition(".")[2]:
        case "create" | "change" if after:
            return after
        case "remove" if before:
            return before
    # What an action was given may not be what it has written.
    return state_of(type(subject)._base_manager.filter(pk=subject.pk).first() or subject)


def state_of(obj: models.Model) -> dict[str, Any]:
    """The columns of a record as plain data, secrets left out."""
    out: dict[str, Any] = {}
    for column in obj._meta.concrete_fields:
        names = {column.name, f"{obj._meta.model_name}.{column.name}"}
        if isinstance(column, SealedField) or "hash" in column.name or names & _SECRET:
            continue
        out[column.attname] = plain(getattr(obj, column.attname))
    for many in obj._meta.many_to_many:
        out[many.name] = sorted(map(plain, getattr(obj, many.name).order_by().values_list("pk", flat=True)))
    return out


def plain(value: Any) -> Any:
    """Values as JSON can hold them."""
    return msgspec.to_builtins(value, enc_hook=str)
