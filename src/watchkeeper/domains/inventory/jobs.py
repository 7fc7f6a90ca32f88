"""What has to be done for the inventory from time to time: what sources do not name any more goes stale, orphans get what
their source's rule says, duplicates are looked for. An effect of the outbox that puts the next one there."""

from __future__ import annotations

import datetime as dt
import json

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.inventory import duplicates, staleness
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.outbox import handler

KIND = "inventory.tend"
EVERY = dt.timedelta(hours=1)


def tend() -> dict[str, int]:
    """Do it now; how much of each was done."""
    now = timezone.now()
    return {
        "stale": staleness.expire(SYSTEM, now),
        **staleness.orphans(SYSTEM, now),
        **duplicates.find(SYSTEM),
    }


@handler(KIND)
def _tend(row: OutboxRow) -> str:  # noqa: ARG001
    try:
        return json.dumps(tend())
    finally:
        _next(timezone.now() + EVERY)


def _next(at: dt.datetime) -> None:
    """One an hour, however often it is asked for."""
    with transaction.atomic():
        OutboxRow.objects.get_or_create(
            id=f"{KIND}:{at:%Y-%m-%dT%H}",
            defaults={
                "kind": KIND,
                "subject": "the inventory",
                "payload": {},
                "created_at": timezone.now(),
                "due_at": at,
            },
        )
