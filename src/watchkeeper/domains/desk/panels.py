"""Which tickets need somebody now: late ones, one's own, and those that nobody has."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket, due_before
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import visible

_WORKS = ("operations manager", "incident and security manager", "cloud architect", "applications analyst",
          "technical analyst", "network administrator", "IT operator")  # fmt: skip


def _open(actor: Actor) -> QuerySet[Any]:
    """The most urgent first."""
    found = visible(actor, "tickets", Ticket.objects.all()).filter(status__in=rules.OPEN)
    return found.select_related("queue", "assignee").order_by("priority", "pk")


def _late(actor: Actor) -> QuerySet[Any]:
    return _open(actor).filter(due_before(timezone.now()))


def _mine(actor: Actor) -> QuerySet[Any]:
    return _open(actor).filter(assignee=actor.person.pk if actor.person else None, assignee__isnull=False)


def _nobodys(actor: Actor) -> QuerySet[Any]:
    return _open(actor).filter(assignee=None)


def _ticket(t: Ticket) -> Line:
    known = [f"priority {t.priority}", str(t.queue or ""), str(t.assignee or "")]
    return Line(str(t), f"/tickets/{t.pk}/", ", ".join(filter(None, known)), at=t.opened_at)


panels.add(
    Panel(
        "my-tickets", "Tickets that you work on",
        {"service desk agent": -2, "operations engineer": 5, **dict.fromkeys(_WORKS, 5)},
        _mine, _ticket, "No open ticket is yours.", "/tickets/", "tickets",
    ),
    Panel(
        "late-tickets", "Tickets that are late",
        {"service desk agent": -1, "operations manager": 6, "incident and security manager": 6},
        _late, _ticket, "No ticket is late.", "/tickets/?overdue=true", "tickets",
    ),
    Panel(
        "nobodys-tickets", "Tickets that nobody has",
        {"service desk agent": -1, "operations engineer": 12, "operations manager": 12, "IT operator": 12},
        _nobodys, _ticket, "Somebody has every open ticket.",
        f"/tickets/?assignee__isnull=true&status__in={','.join(rules.OPEN)}", "tickets",
    ),
)  # fmt: skip
