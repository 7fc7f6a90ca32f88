"""Gives the next entries their numbers and seals, a batch a transaction, and writes checkpoints of the result.

Entries are taken by id, whenever they have become visible: one whose transaction ends late, with a lower id than
others that are sealed by then, comes after them in the chain. Numbers are therefore a sequence of their own.
"""

from __future__ import annotations

import time

from django.db import connection, transaction
from django.utils import timezone

from watchkeeper.domains.audit.checkpoints import Checkpoints
from watchkeeper.domains.audit.reading import entries, head, unsealed
from watchkeeper.domains.audit.rules import Checkpoint, seal_of
from watchkeeper.kernel.models import AuditEntry

BATCH = 500  # a transaction of a few dozen milliseconds: people who write wait no longer
_LOCK = 0x574B_4155  # of PostgreSQL's advisory locks; "WKAU"


def seal_batch(size: int = BATCH) -> int:
    """Seal up to `size` entries; how many. 0 when none waits, or while another process seals."""
    waiting = AuditEntry.objects.filter(sealed_no=None).order_by("id")
    if not waiting.exists():
        return 0
    with transaction.atomic():
        if not _alone():
            return 0
        number, seal = head()
        rows = []
        for entry in entries(waiting[:size]):
            number, seal = number + 1, seal_of(seal, entry.content)
            rows.append((number, seal, entry.id))
        table = connection.ops.quote_name(AuditEntry._meta.db_table)
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {table} SET sealed_no = %s, seal = %s WHERE id = %s", rows)
    return len(rows)


def seal_all(within: float = 60.0) -> int:
    """Seal until none waits, or for this many seconds; how many."""
    end = time.monotonic() + within
    done = 0
    while (sealed := seal_batch()) and time.monotonic() < end:
        done += sealed
    return done + sealed


def checkpoint(file: Checkpoints) -> Checkpoint | None:
    """Append how far the chain is now, even if the last line says the same; None while nothing is sealed.
    Raises OSError."""
    # In this order: what is sealed in between counts twice then, and not as if it had never waited.
    now, waiting = timezone.now(), unsealed()
    number, seal = head()
    if number == 0:
        return None
    made = Checkpoint(number, seal, now, number + waiting)
    file.append(made)
    return made


def _alone() -> bool:
    """Whether we are the one who seals, until the transaction ends. SQLite has one writer anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
