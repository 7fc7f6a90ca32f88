"""Forgets escalations that ended long ago, with their pages and how those were delivered, each night."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from watchkeeper.domains.oncall.paging.models import Escalation
from watchkeeper.jobs.port import Run, job
from watchkeeper.jobs.slicing import delete

KEEP_DAYS = 400  # a year can be compared with the one before


@job("forget-pages", f"Forget escalations that ended more than {KEEP_DAYS} days ago", every="35 3 * * *")
def forget_old(run: Run) -> dict[str, int]:
    """Slice by slice."""
    return {"escalations forgotten": run.step("forget", lambda: forget(run))}


def forget(run: Run) -> int:
    """Delete them and what belongs to them; how many it were."""
    old = Escalation.objects.filter(ended_at__lt=timezone.now() - dt.timedelta(days=KEEP_DAYS))
    gone = 0
    for some in delete(old):
        gone += some
        run.progress(gone, unit="escalations")
    return gone
