"""What has happened, as the events that it was or would have been: from the audit trail, or from those who write a
kind that is not in it."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import models

from watchkeeper.kernel import events
from watchkeeper.kernel.audit import state_of
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import registry


def past(kind: str, most: int) -> Iterator[Event]:
    """The last events of a kind, newest first, with the record as it is now where it was not removed."""
    if kind in events.written:
        yield from events.written[kind].past(most)
        return
    model = registry[kind].model
    entries = list(AuditEntry.objects.filter(kind=str(model._meta.verbose_name)).order_by("-id")[:most])
    keys = {e.record for e in entries if _may_be_key(model, e.record)}
    now = {str(r.pk): state_of(r) for r in model._default_manager.filter(pk__in=keys)}
    for e in entries:
        yield events.event_of(e, kind, now.get(e.record) or e.before or e.after or {})


def _may_be_key(model: type[models.Model], text: str) -> bool:
    try:
        model._meta.pk.to_python(text)
    except (ValueError, TypeError, ValidationError):
        return False
    return True
