"""Looks at maintenance plans when they may be due."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.upkeep import planning
from watchkeeper.domains.upkeep.models import MaintenancePlan
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.errors import WatchkeeperError


@outbox.handler(planning.KIND)
def look(row: OutboxRow) -> str:
    """Make what is due, and look again later; a meter that cannot be read now is read the next time."""
    plan = MaintenancePlan.objects.filter(
        pk=row.payload["plan"], version=row.payload["version"], enabled=True
    ).first()
    if plan is None:
        return "the plan is another one meanwhile, or off"
    now = timezone.now()
    with transaction.atomic():
        planning.follow(plan, max(now, row.due_at))  # by hand it may be before its time
    try:
        made = planning.make(plan, now)
    except WatchkeeperError as error:
        return f"not known, asked again: {error.detail}"
    return f"{made} work orders made"
