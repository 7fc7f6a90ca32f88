"""What the pages of objectives, items and agreements show of error budgets."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.agreements.models import Agreement
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource

MOST = 20


def of_objective(record: ServiceLevelObjective, actor: Actor) -> dict[str, Any]:  # noqa: ARG001
    """How it stands, and whether there is a picture of it."""
    kept = record.standing_or_none()
    if kept is None:
        return {"standing": None}
    return {
        "standing": kept,
        "drawn": bool(kept.chart.get("at")),
        "excluded": dt.timedelta(seconds=kept.excluded_seconds),
        "unmeasured": dt.timedelta(seconds=kept.unmeasured_seconds),
        "bar": max(0.0, min(100.0, kept.left)) if kept.left is not None else None,
    }


def of_record(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """The objectives of an item or of an agreement; None where there are none."""
    if isinstance(record, Item):
        given = {"service": record.pk}
    elif isinstance(record, Agreement):
        given = {"agreement": record.pk}
    else:
        return None
    found = visible(actor, "service-level-objectives").filter(**given).select_related("standing")
    listed = list(found.order_by("name")[:MOST])
    return {"objectives": listed} if listed else None
