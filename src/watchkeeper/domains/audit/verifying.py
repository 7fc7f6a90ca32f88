"""Walks the chain in the database beside the checkpoints outside it. It changes nothing, and keeps no transaction
open: entries may be written and sealed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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


def words(verdict: Verdict, path: Path) -> list[str]:
    """The verdict for people, in lines; the first is the sentence that counts."""
    if verdict.whole:
        lines = [f"The audit trail is whole: {verdict.entries:,} entries, the last is number {verdict.last}."]
    else:
        lines = [f"The audit trail is NOT whole: {verdict.wrong:,} findings in {verdict.entries:,} entries."]
    for f in verdict.findings:
        entry = f" (entry {f.entry})" if f.entry is not None else ""
        lines.append(f"  {f.kind:<10} number {f.number}{entry}: {f.detail}")
    if verdict.wrong > len(verdict.findings):
        lines.append(f"  and {verdict.wrong - len(verdict.findings):,} more")
    if verdict.agreed:
        lines.append(f"It agrees with the checkpoint of {verdict.agreed.time:%Y-%m-%d %H:%M:%S} UTC, number "
                     f"{verdict.agreed.number}, one of {verdict.checkpoints:,} in {path}.")  # fmt: skip
    elif not verdict.checkpoints:
        lines.append(
            f"There is no checkpoint in {path}: a cut or a chain that was made anew would not be seen."
        )
    lines += [f"Line {n} of {path} is not a checkpoint." for n in verdict.unreadable]
    if verdict.unsealed:
        lines.append(f"Not sealed yet, and so not proved: {verdict.unsealed:,} entries.")
    return lines
