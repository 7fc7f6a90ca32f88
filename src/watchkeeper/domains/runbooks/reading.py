"""Who may read what belongs to a run."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible


def done(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """Those of these steps whose run the actor may read."""
    from watchkeeper.domains.runbooks.models import Run  # asked before Django's models are there

    return found.filter(run__in=visible(actor, "runbook-runs", Run.objects.all()).order_by().values("pk"))
