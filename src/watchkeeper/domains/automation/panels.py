"""Event rules that need somebody."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from watchkeeper.domains.automation.models import EventRule
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import visible


def _off(actor: Actor) -> QuerySet[Any]:
    """Not those that somebody has switched off."""
    found = visible(actor, "event-rules", EventRule.objects.filter(enabled=False))
    return found.exclude(switched_off_because="").order_by("name")


panels.add(
    Panel(
        "failed-event-rules", "Event rules that were switched off because they failed",
        {"administrator": 2, "operations engineer": 42, "operations manager": 60},
        _off, lambda r: Line(r.name, f"/event-rules/{r.pk}/", r.switched_off_because, at=r.failing_since),
        "No event rule had to be switched off.", "/event-rules/?enabled=false", "event-rules",
    ),
)  # fmt: skip
