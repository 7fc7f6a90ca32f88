"""What the pages of forecasts and of items show of what runs out."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from watchkeeper.console.facts import facts
from watchkeeper.domains.capacity import dates
from watchkeeper.domains.capacity.models import CapacityRule, Forecast
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

MOST = 20
#: what says of a date as a moment what the list of what ends says better
_MOMENTS = frozenset(("expected_at", "earliest_at", "latest_at", "measured_at"))


def of_forecast(record: Forecast, actor: Actor) -> dict[str, Any]:
    """Its sentences, whether there is a chart, and the records whose date it is."""
    said, *more = record.because.split("\n")
    shown = {"said": said, "more": more, "drawn": bool(record.chart and record.chart["past"]["at"])}
    return shown | (_dated(record, actor) if record.about else {})


def _dated(record: Forecast, actor: Actor) -> dict[str, Any]:
    """The first of the records with their dates, how many there are, and the address of all."""
    d = dates.DATES[record.about["date"]]
    resource = registry[d.path]
    if not may(actor, "read", resource):
        return {}
    found = visible(actor, resource, dates.members(record.about))
    told = facts(registry["forecasts"], record, frozenset() if d.exact else _MOMENTS)
    ends = [(f"/{d.path}/{r.pk}/", resource.title(r), getattr(r, d.field)) for r in found[:MOST]]
    when = resource.model._meta.get_field(d.field).verbose_name
    return {"ends": ends, "exact": d.exact, "count": found.count(), "kind": resource, "when": when, "facts": told,
            "listed": dates.address(record.about)}  # fmt: skip


def of_record(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """The forecasts about an item, alone or among others; None where there are none."""
    if not isinstance(record, Item):
        return None
    about = Q(item=record.pk)
    if keys := dates.keys_of(record):
        rules = CapacityRule.objects.filter(date__in=keys).values_list("pk", "date")
        about |= Q(key__in=[f"{pk}:{key}" for pk, date in rules for key in keys[date]])
    found = list(visible(actor, "forecasts").filter(about).exclude(state="not_known")[:MOST])
    return {"forecasts": found, "item": record.pk} if found else None
