"""What the pages of forecasts and of items show of what runs out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.capacity.models import Forecast
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource

MOST = 20


def of_forecast(record: Forecast, actor: Actor) -> dict[str, Any]:  # noqa: ARG001
    """Its sentences, and whether there is a chart."""
    said, *more = record.because.split("\n")
    return {"said": said, "more": more, "drawn": bool(record.chart and record.chart["past"]["at"])}


def of_record(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """The forecasts about an item; None where there are none."""
    if not isinstance(record, Item):
        return None
    found = list(visible(actor, "forecasts").filter(item=record.pk).exclude(state="not_known")[:MOST])
    return {"forecasts": found, "item": record.pk} if found else None
