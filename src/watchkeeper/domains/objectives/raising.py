"""Budgets that burn, as alerts of our own: an objective is one."""

from __future__ import annotations

import pyarrow as pa

from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.objectives import DOOR
from watchkeeper.domains.objectives.models import Standing
from watchkeeper.domains.situations import own_alerts
from watchkeeper.domains.situations.own_alerts import Raised
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.signals import Stream

NAME = "ErrorBudgetBurns"
LASTS_MS = 20 * 60_000  # without being told again; four slots, where they are longer


def entries(now_ms: int) -> list[tuple[Stream, pa.RecordBatch]]:
    """What goes into the journal for objectives that burn, and for alerts that are none of these any more; nothing where
    there is nothing to tell."""
    burning = Standing.objects.filter(objective__enabled=True).exclude(severity="")
    raised = (
        Raised(
            _labels(s), milliseconds(s.alerting_since), now_ms + max(LASTS_MS, 4_000 * s.objective.step_s), s.severity,
            f"{s.objective}: the error budget burns", s.said,
        )
        for s in burning.select_related("objective__service")
    )  # fmt: skip
    return own_alerts.entries(NAME, DOOR, raised, now_ms)


def _labels(s: Standing) -> dict[str, str]:
    """With the name by which the service is known, so that the alert finds it."""
    own = {"alertname": NAME, "objective": s.objective.name}
    return {**own, **_named(s.objective.service)} if s.objective.service else own


def _named(service: Item) -> dict[str, str]:
    known = service.identifiers.filter(valid_to=None, scheme__in=("service.name", "hostname")).order_by(
        "-scheme"
    )
    one = known.first()
    return (
        {{"hostname": "host.name"}.get(one.scheme, one.scheme): one.value}
        if one
        else {"service": service.name}
    )
