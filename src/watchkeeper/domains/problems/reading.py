"""Who may read what belongs to something else."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible


def versions(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """Those of these versions whose report the actor may read."""
    from watchkeeper.domains.problems.models import Report  # asked before Django's models are there

    seen = visible(actor, "post-incident-reports", Report.objects.all())
    return found.filter(report__in=seen.order_by().values("pk"))
