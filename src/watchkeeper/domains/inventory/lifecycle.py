"""From purchase to disposal: the states of what is bought or rented, and what is in the way of a step."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.inventory.models.hardware import Lifecycle as L
from watchkeeper.kernel.resource import Action
from watchkeeper.kernel.states import Transition, machine


def in_use(record: Any) -> str:
    """What still runs on or in it, in words; "" for nothing."""
    machines = getattr(record, "virtual_machines", None)
    running = (
        []
        if machines is None
        else list(machines.exclude(status=L.DISPOSED).values_list("name", flat=True)[:4])
    )
    if running:
        return f"{', '.join(running)} still {'runs' if len(running) == 1 else 'run'} on it"
    return ""


BOUGHT: tuple[Action, ...] = machine(
    "status",
    Transition("order", "Order", (L.PLANNED,), L.ORDERED),
    Transition(
        "receive", "Receive into stock", (L.PLANNED, L.ORDERED, L.DECOMMISSIONING), L.IN_STOCK, in_use
    ),
    Transition("stage", "Stage", (L.PLANNED, L.ORDERED, L.IN_STOCK), L.STAGED),
    Transition("activate", "Activate", (L.PLANNED, L.IN_STOCK, L.STAGED, L.FAILED), L.ACTIVE),
    Transition("fail", "Mark as failed", (L.STAGED, L.ACTIVE), L.FAILED),
    Transition("decommission", "Decommission", (L.STAGED, L.ACTIVE, L.FAILED), L.DECOMMISSIONING),
    Transition(
        "dispose",
        "Dispose of it",
        (L.IN_STOCK, L.FAILED, L.DECOMMISSIONING),
        L.DISPOSED,
        in_use,
        confirm="It is gone for good; its record and history stay.",
    ),
)
