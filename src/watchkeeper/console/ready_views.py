"""Views that are ready before anybody has saved one: tickets as agents look at them, each with how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Queue, Ticket, due_before
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource


@dataclass(frozen=True)
class Ready:
    """`tone`: of the number, where there is one to look at."""

    label: str
    query: str
    count: int | None
    active: bool
    tone: str = ""


_OPEN = ",".join(rules.OPEN)
_WAITING = ",".join((rules.ASKED, rules.WITH_PARTNER))


def of(resource: Resource, actor: Actor, given: MultiValueDict[str, str]) -> dict[str, Any] | None:
    """The views of the tickets in the queue that is looked at, or in all, and how many are in each open state."""
    if resource.path != "tickets":
        return None
    queue = given.get("queue", "")
    among = visible(actor, resource, Ticket.objects.filter(status__in=rules.OPEN))
    if queue.isdigit() and len(queue) < 19:
        among = among.filter(queue=queue)
    counts = _counted(among, actor)
    mine = (
        [("Mine", {"assignee__username": actor.name, "status__in": _OPEN}, "mine", "")]
        if actor.person
        else []
    )
    asked = (
        ("Open", {"status__in": _OPEN}, "open", ""),
        *mine,
        ("Unassigned", {"assignee__isnull": "true", "status__in": _OPEN}, "unassigned", ""),
        ("Overdue", {"overdue": "true"}, "overdue", "red" if counts["overdue"] else ""),
        ("Waiting", {"status__in": _WAITING}, "waiting", ""),
        ("Resolved", {"status__in": rules.RESOLVED}, "", ""),
    )
    shown = {n: v for n, v in given.items() if n not in ("queue", "search", "ordering")}
    within = {"queue": queue} if queue else {}
    views = [
        Ready(label, urlencode({**query, **within}), counts.get(name), shown == query, tone)
        for label, query, name, tone in asked
    ]
    return {"views": views, "queue": queue, "queues": _queues(actor), "states": _states(counts, within)}


def _counted(among: Any, actor: Actor) -> dict[str, int]:
    """All numbers in one look at the open tickets, by the states in which they are."""
    rows = (
        among.order_by()
        .values("status")
        .annotate(
            all=Count("pk"),
            mine=Count("pk", filter=Q(assignee=actor.person.pk if actor.person else None)),
            unassigned=Count("pk", filter=Q(assignee=None)),
            overdue=Count("pk", filter=due_before(timezone.now())),
        )
    )
    by = {row["status"]: row for row in rows}
    found = {state: by[state]["all"] if state in by else 0 for state in rules.OPEN}
    for name in ("mine", "unassigned", "overdue"):
        found[name] = sum(row[name] for row in by.values())
    return found | {
        "open": sum(found[s] for s in rules.OPEN),
        "waiting": found[rules.ASKED] + found[rules.WITH_PARTNER],
    }


def _states(counts: dict[str, int], within: dict[str, str]) -> list[tuple[str, str, str, int]]:
    """Open states: which, how people say it, the list, how many."""
    return [
        (s, rules.STATES[s], urlencode({"status": s, **within}), counts[s]) for s in rules.OPEN if counts[s]
    ]


def _queues(actor: Actor) -> list[Queue]:
    return list(visible(actor, "queues", Queue.objects.all()).order_by("name")[:100])
