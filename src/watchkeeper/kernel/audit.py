"""Writes the audit trail: who did what to which record, when, from where, and what changed in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec
from django.db import models
from django.utils import timezone

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.models import AuditEntry

#: columns that hold secrets and are no SealedField, by their name or with the model's
_SECRET = frozenset(("password", "session_data", "session_key", "authenticator.data"))
_gathered: ContextVar[list[AuditEntry] | None] = ContextVar("gathered", default=None)


def record(
    actor: Actor,
    act: str,
    subject: models.Model | None = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one entry, in the transaction of the act. Of before and after only what differs is kept."""
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
    if (gathered := _gathered.get()) is not None:
        gathered.append(entry)
    else:
        entry.save()


@contextmanager
def together() -> Iterator[None]:
    """Write the entries of this block at its end, in one statement; for many acts in one transaction."""
    entries: list[AuditEntry] = []
    token = _gathered.set(entries)
    try:
        yield
    finally:
        _gathered.reset(token)
    AuditEntry.objects.bulk_create(entries)


def state_of(obj: models.Model) -> dict[str, Any]:
    """The columns of a record as plain data, secrets left out."""
    out: dict[str, Any] = {}
    for field in obj._meta.concrete_fields:
        names = {field.name, f"{obj._meta.model_name}.{field.name}"}
        if isinstance(field, SealedField) or "hash" in field.name or names & _SECRET:
            continue
        out[field.attname] = plain(getattr(obj, field.attname))
    for many in obj._meta.many_to_many:
        out[many.name] = sorted(plain(pk) for pk in getattr(obj, many.name).values_list("pk", flat=True))
    return out


def plain(value: Any) -> Any:
    """Values as JSON can hold them."""
    return msgspec.to_builtins(value, enc_hook=str)
