"""Long work of the audit trail: the walk through the whole chain."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from watchkeeper.domains.audit.checkpoints import Checkpoints
from watchkeeper.domains.audit.verifying import verify, words
from watchkeeper.jobs.port import Run, job


@job("audit-verify", "Verify the whole audit trail", needs=("read", "audit"), offered_on="audit")
def verify_all(run: Run) -> dict[str, Any]:
    """What `watchkeeper audit verify` says, as a result."""
    run.say("Holding every entry against its seal, and the end of the chain against the checkpoints")

    def walk() -> Any:
        seen = 0

        def told(done: int, of: int) -> None:
            nonlocal seen
            seen += done
            run.progress(seen, of, "entries")

        file = Checkpoints(settings.AUDIT_CHECKPOINTS)
        verdict = verify(file, told=told)
        summary, *more = words(verdict, file.path)
        return {"summary": summary, "more": more, "whole": verdict.whole, "entries": verdict.entries}

    verdict: dict[str, Any] = run.step("walk", walk)
    return verdict
