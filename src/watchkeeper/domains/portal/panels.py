"""What somebody asked for and still waits for, on the page that requesters begin with."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.portal import shapes
from watchkeeper.domains.portal.own import tickets_of
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import Line, Panel, panels


def _asked(actor: Actor) -> Any:
    return tickets_of(actor.person).filter(status__in=rules.OPEN) if actor.person is not None else []


def _ticket(t: Ticket) -> Line:
    return Line(str(t), f"/portal/tickets/{t.number}/", shapes.WORDS[t.status], at=t.opened_at)


panels.add(
    Panel(
        "asked", "What you asked for", {"requester": 0}, _asked, _ticket,
        "You wait for no answer.", "/portal/",
    )
)  # fmt: skip
