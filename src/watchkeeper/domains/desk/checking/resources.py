"""Steps of checklists, declared; and a checklist from a template for a ticket that is there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.desk import belonging, rules
from watchkeeper.domains.desk.checking.models import ChecklistItem
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.prefilling.models import TicketTemplate
from watchkeeper.domains.desk.prefilling.opening import add_steps
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done


def _create(actor: Actor, data: dict[str, Any]) -> ChecklistItem:
    made: ChecklistItem = belonging.create(actor, ChecklistItem, data)
    return made


def _change(actor: Actor, step: ChecklistItem, data: dict[str, Any]) -> ChecklistItem:
    if data.get("ticket", step.ticket) != step.ticket:
        raise Invalid("a step stays with its ticket", "ticket")
    changed: ChecklistItem = belonging.change(actor, step, data)
    return changed


def _tick(actor: Actor, step: ChecklistItem, _: dict[str, Any]) -> Done:
    _not_over(actor, step)
    step.done_at, step.done_by = timezone.now(), actor.name
    step.save(update_fields=["done_at", "done_by"])
    return Done()


def _untick(actor: Actor, step: ChecklistItem, _: dict[str, Any]) -> Done:
    _not_over(actor, step)
    step.done_at, step.done_by = None, ""
    step.save(update_fields=["done_at", "done_by"])
    return Done()


def _not_over(actor: Actor, step: ChecklistItem) -> None:
    belonging.changes(actor, step.ticket)
    if step.ticket.status in rules.OVER:
        raise Refused(f"{step.ticket.number} is {rules.STATES[step.ticket.status]}")


class FromTemplate(serializers.Serializer[Any]):
    """Whose checklist."""

    template = serializers.PrimaryKeyRelatedField(queryset=TicketTemplate.objects.exclude(steps=""))


def _add(_: Actor, ticket: Ticket, data: dict[str, Any]) -> Done:
    add_steps(ticket, data["template"].steps)
    return Done()


ACTIONS = (
    Action("add-checklist", "Add a checklist…", _add, FromTemplate, bulk=True,
           offered=lambda t: t.status in rules.OPEN),
)  # fmt: skip

plain(
    ChecklistItem, "checklist item", "checklist-items", "text ticket done_at:Ticked done_by:By", ("done_at", "done_by"),
    filters={"ticket": ["exact", "in"], "text": ["exact", "icontains"], "done_at": ["isnull", "gte", "lte"],
             "done_by": ["exact"]},
    search=("text",), ordering=("-ticket", "position", "id"), create=_create, change=_change, remove=belonging.remove,
    actions=(
        Action("tick", "Tick", _tick, offered=lambda s: s.done_at is None, bulk=True),
        Action("untick", "Take the tick away", _untick, offered=lambda s: s.done_at is not None, bulk=True),
    ),
)  # fmt: skip
belonging.belongs_to_ticket("checklist-items")
