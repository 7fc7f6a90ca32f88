"""How work orders go from state to state."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.upkeep import rules
from watchkeeper.domains.upkeep.models import WorkOrder
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.states import Transition, machine


class PutOff(serializers.Serializer[Any]):
    """Until when, and why."""

    until = serializers.DateTimeField()
    reason = serializers.CharField(max_length=2000)


class WasDone(serializers.Serializer[Any]):
    """What it took."""

    minutes = serializers.IntegerField(min_value=0, max_value=1_000_000, label="Minutes spent")
    parts = serializers.CharField(
        max_length=5000, required=False, allow_blank=True, help_text="what was used or replaced"
    )
    notes = serializers.CharField(max_length=20_000, required=False, allow_blank=True)


def _start(actor: Actor, order: WorkOrder, _: dict[str, Any]) -> None:
    order.started_at = order.started_at or timezone.now()
    order.assignee = order.assignee or actor.person


def _put_off(_: Actor, order: WorkOrder, data: dict[str, Any]) -> None:
    if data["until"] <= timezone.now():
        raise Invalid("this is past", "until")
    order.put_off_until, order.put_off_because, order.due_at = data["until"], data["reason"], data["until"]


def _ticked(order: WorkOrder) -> str:
    left = rules.undone(order.checklist)
    return f"not ticked yet: {', '.join(left[:5])}" if left else ""


def _done(_: Actor, order: WorkOrder, data: dict[str, Any]) -> None:
    order.done_at = timezone.now()
    order.started_at = order.started_at or order.done_at
    order.minutes, order.parts, order.notes = data["minutes"], data.get("parts", ""), data.get("notes", "")


MOVES = machine(
    "status",
    Transition("start", "Start work", (rules.OPEN, rules.DEFERRED), rules.STARTED, then=_start),
    Transition(
        "put-off", "Put it off…", (rules.OPEN, rules.STARTED), rules.DEFERRED, fields=PutOff, then=_put_off
    ),
    Transition(
        "finish",
        "It is done…",
        (rules.OPEN, rules.STARTED),
        rules.DONE,
        guard=_ticked,
        fields=WasDone,
        then=_done,
    ),
    Transition("cancel", "Cancel", rules.LIVING, rules.CANCELLED, confirm="Nothing will be done."),
    Transition("reopen", "Open again", (rules.DONE, rules.CANCELLED), rules.OPEN),
)
