"""What comes at the beginning of a window, and change events on their way into the journal."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction

from watchkeeper.domains.changes import rules, telling
from watchkeeper.domains.changes.models import Change
from watchkeeper.domains.changes.moving import BEGIN, START
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import Forbidden, Invalid, Refused
from watchkeeper.kernel.states import move
from watchkeeper.model.signals import Stream


@outbox.handler(telling.KIND)
def tell(row: OutboxRow) -> str:
    """Raises NotReady, JournalFull or DiskFull."""
    made = telling.rows(row.payload, f"{settings.PUBLIC_URL}/changes/{row.payload['change']}/")
    if made.num_rows:
        ports.the_journal().append([(Stream.EVENTS, made)])
    return f"{made.num_rows} items told of"


@outbox.handler(START)
def begin(row: OutboxRow) -> str:
    """The window begins: it starts by itself, with its job, if that is said and it still may; else its owner is told."""
    change = Change.objects.filter(pk=row.payload["change"], status=rules.SCHEDULED).first()
    if change is None or change.starts_at != dt.datetime.fromisoformat(row.payload["at"]):
        return "it is not scheduled for then any more"
    if not change.automatic:
        telling.owner(change, f"begin:{row.payload['at']}", f"The window of {change} begins.")
        return "its owner was told"
    try:
        with transaction.atomic():
            move("status", BEGIN, SYSTEM, change)
            if change.job:
                jobs.start(change.job, {}, SYSTEM, id=row.pk.replace(" ", ""), label=str(change))
            telling.owner(change, f"begun:{row.payload['at']}", f"{change} has started by itself.")
    except (Forbidden, Invalid, Refused) as error:
        telling.owner(
            change, f"refused:{row.payload['at']}", f"{change} did not start by itself: {error.detail}"
        )
        return f"not started: {error.detail}"
    return "started"
