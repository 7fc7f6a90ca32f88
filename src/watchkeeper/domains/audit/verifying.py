"""Walks the chain in the database beside the checkpoints outside it. It changes nothing, and keeps no transaction
open: entries may be written and sealed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.domains.audit.checkpoints import Checkpoints
from watchkeeper.domains.audit.reading import entries, head, unsealed
from watchkeeper.domains.audit.rules import Verdict, Walk
from watchkeeper.kernel.models import AuditEntry

_PAGE = 2000


def verify(file: Checkpoints, tail: int = 0, told: Callable[[int, int], None] = lambda *_: None) -> Verdict:
    """Hold every entry against its seal, or with `tail` the last so many, trusting the one before them.

    `told` hears after each page how many entries that were, and how many there are about in all. Raises OSError
    when the file of checkpoints cannot be read.
    """
    # The file first: whatever it knows is in the chain by the time that its head is read.
    known, unreadable = file.read()
    last, _ = head()
    sealed = AuditEntry.objects.filter(sealed_no__lte=last).order_by("sealed_no")
    begin = sealed.filter(sealed_no__lte=last - tail).last() if tail else None
    walk = Walk(known, begin.sealed_no or 0, begin.seal) if begin else Walk(known)
    at = walk.number if begin else -1  # what was given the number 0 is looked at too
    while page := list(entries(sealed.filter(sealed_no__gt=at)[:_PAGE])):
        for entry in page:
            walk.step(entry)
        at = page[-1].number
        told(len(page), last - walk.first + 1)
    return walk.end(unsealed(), unreadable)
