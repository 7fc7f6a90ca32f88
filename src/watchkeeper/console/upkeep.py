"""Upkeep on the pages of its records: what the meter of a plan says, and the checklist of a work order."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.analysis.stages.detect_words import quantity
from watchkeeper.domains.upkeep import metering, planning, rules
from watchkeeper.domains.upkeep.models import MaintenancePlan, WorkOrder
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.queries import series as known

_MOST = 20  # items of a plan whose meters are read for its page


def meters(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a plan by a meter: what it says now of each item, and at what it is next due."""
    if not isinstance(record, MaintenancePlan) or record.trigger != MaintenancePlan.Trigger.METER:
        return None
    items = planning.items_of(record)
    rows, every, now = [], record.every or 0.0, timezone.now()
    try:
        unit = promql.unit(record.query.replace("$item", "x"), _unit_of)
        for item in items[:_MOST]:
            value = metering.reading(record, item, now)
            following = every * (rules.passed(value, every) + 1) if value is not None else None
            rows.append({"item": item, "value": "" if value is None else quantity(value, unit),
                         "next": "" if following is None else quantity(following, unit)})  # fmt: skip
    except WatchkeeperError as error:
        return {"trouble": error.detail}
    return {"rows": rows, "more": max(0, len(items) - _MOST)}


def _unit_of(name: str) -> str:
    found = known.kinds(ports.the_telemetry(), name, limit=1)
    return found[0].unit if found else ""


def checklist(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a work order: its steps, each with a box for whoever works on it."""
    if not isinstance(record, WorkOrder) or not record.checklist.strip():
        return None
    steps = rules.steps(record.checklist)
    open_ = record.status in rules.LIVING and may(actor, "change", resource, record)
    return {"steps": steps, "done": sum(done for done, _ in steps), "open": open_}
