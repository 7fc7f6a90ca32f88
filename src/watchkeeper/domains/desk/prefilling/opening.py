"""A ticket from a template, with the steps of its checklist."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.desk.checking.models import ChecklistItem
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.prefilling.models import TicketTemplate
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bulk import Given
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry

_STEPS, _LONG = 200, 300  # of one checklist; letters of a step


def open_from(actor: Actor, template: TicketTemplate, **other: Any) -> Ticket:
    """A ticket as the template says; what is named says it otherwise. Audited as one that the actor has written."""
    said = {
        "title": template.title, "description": template.description, "type": template.type,
        "impact": template.impact, "urgency": template.urgency, "queue": template.queue,
        "items": list(template.items.all()), "skills": list(template.skills.all()),
    }  # fmt: skip
    given = {**said, **{name: value for name, value in other.items() if value not in (None, "")}}
    resource = registry["tickets"]

    def save() -> Any:
        raise AssertionError("tickets have a hook of their own")

    ticket: Ticket = doing.create(resource, actor, Given(given, save))
    add_steps(ticket, template.steps)
    return ticket


def steps_of(text: str) -> list[str]:
    """The steps that are written one a line. Raises Invalid.

    >>> steps_of("order a laptop\\n\\n - make an account")
    ['order a laptop', 'make an account']
    """
    found = [step for line in text.splitlines() if (step := line.strip().removeprefix("-").strip())]
    if len(found) > _STEPS:
        raise Invalid(f"more than {_STEPS} steps are too many for one checklist", "steps")
    if long := next((s for s in found if len(s) > _LONG), ""):
        raise Invalid(f"a step has {_LONG} letters at most: {long[:40]}…", "steps")
    return found


def add_steps(ticket: Ticket, text: str) -> None:
    """Add these steps, after those that it has."""
    last = ticket.steps.order_by("-position").values_list("position", flat=True).first() or 0
    ChecklistItem.objects.bulk_create(
        ChecklistItem(ticket=ticket, text=step, position=min(last + n, 32_767))
        for n, step in enumerate(steps_of(text), 1)
    )
