"""Windows that other domains open while they work on items, and end with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.maintenance.telling import publish
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds


def begin(
    actor: Actor, name: str, reason: str, items: Iterable[Any], now: dt.datetime, until: dt.datetime
) -> MaintenanceWindow:
    """From now: alerts of these items are recorded, and nobody is told until it is over."""
    with transaction.atomic():
        window = MaintenanceWindow.objects.create(
            name=name[:150],
            reason=reason,
            starts_at=now,
            ends_at=until,
            created_by=actor.name[:150],
            of_items=True,
        )
        window.items.set(items)
        publish(window, actor.name)
        audit.record(actor, "maintenance-window.create", window, after=audit.state_of(window))
    return window


def finish(actor: Actor, window: MaintenanceWindow, now: dt.datetime) -> None:
    """End it now, also when it was extended; nothing for one that is over. One that was made to repeat goes on after."""
    found = next(window.schedule.occurrences(milliseconds(now)), None)
    if found is None:
        return
    if window.rrule:
        if found[0] > milliseconds(now):
            return
        window.end(found[0], now)
    else:
        window.ends_at = max(now, window.starts_at + dt.timedelta(seconds=1))
        window.changed_start_at = window.changed_end_at = None
    with transaction.atomic():
        window.version += 1
        window.save()
        publish(window, actor.name)
        audit.record(actor, "maintenance-window.end-now", window)
