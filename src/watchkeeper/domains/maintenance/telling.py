"""How analysis hears of windows: an act through the journal for every change, sent from the outbox of the transaction
that made the change; and all of them when analysis starts."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.kernel import outbox
from watchkeeper.model.act import Act, ActKind

KIND = "maintenance"
KEPT_MS = 86_400_000  # one that ended this long ago holds nothing back any more, whatever the clock does


def publish(window: MaintenanceWindow, actor: str) -> None:
    """Tell analysis how this window is now, after the caller's transaction."""
    _send(window, actor, data_of(window))


def withdraw(window: MaintenanceWindow, actor: str) -> None:
    """Tell analysis that this window is no more."""
    _send(window, actor, {"version": window.version + 1})


def _send(window: MaintenanceWindow, actor: str, data: dict[str, Any]) -> None:
    effect = f"{KIND}:{window.pk}:{data['version']}"
    payload = {"window": str(window.pk), "actor": actor, "data": data}
    outbox.add([outbox.Effect(effect, KIND, str(window.pk), payload)])


def data_of(window: MaintenanceWindow) -> dict[str, Any]:
    """What the act about a window carries; see analysis.stages.holding. One whose items are all gone is no more: it must
    not become one about the labels alone."""
    items = sorted(str(pk) for pk in window.items.values_list("pk", flat=True))
    if window.of_items and not items:
        return {"version": window.version}
    return {
        "version": window.version,
        "title": window.name,
        "schedule": msgspec.to_builtins(window.schedule),
        "matchers": [{"name": k, "value": v} for k, v in sorted(window.labels.items())],
        "items": items,
        "reach": window.reach,
    }


def load_windows(now_ms: int) -> list[Act]:
    """Every window that may still hold something back, as an act."""
    found = MaintenanceWindow.objects.prefetch_related("items").order_by("pk")
    return [
        Act(id=f"restored-window-{w.pk}", kind=ActKind.MAINTENANCE, target=str(w.pk), actor=w.created_by,
            time_ms=now_ms, data=data_of(w))
        for w in found
        if next(w.schedule.occurrences(now_ms - KEPT_MS), None)
    ]  # fmt: skip
