"""Workarounds of known errors, offered where they help: on open tickets and situations, by the items and the words that
they share with the problem. One that is used is noted on the ticket."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.desk.conversation import saying
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.rules import OPEN
from watchkeeper.domains.knowledge.suggesting import Suggested, said, suited
from watchkeeper.domains.problems import rules
from watchkeeper.domains.problems.models import Problem
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.rest import Reference

_SHOWN = 3
_ITEMS = 50


class OnWhichTicket(serializers.Serializer[Any]):
    """Where it helps."""

    ticket = Reference(queryset=Ticket.objects.all(), help_text="the ticket that it helps with")


def for_ticket(actor: Actor, ticket: Ticket) -> list[Suggested]:
    """Known errors whose workaround may help with an open ticket; those that it belongs to first."""
    if ticket.status not in OPEN:
        return []
    own = [Suggested(p, 1.0, ("it belongs to this problem",)) for p in _known(actor).filter(incidents=ticket)]
    items = [str(pk) for pk in ticket.items.values_list("pk", flat=True)]
    return _offered(actor, own, said(ticket), items)


def for_situation(actor: Actor, situation: Situation) -> list[Suggested]:
    """Known errors whose workaround may help with a situation that is not over."""
    if situation.state == "resolved":
        return []
    own = [
        Suggested(p, 1.0, ("it belongs to this problem",)) for p in _known(actor).filter(situations=situation)
    ]
    alerts = Alert.objects.filter(situation=situation.pk).values_list("name", "item_id")[:_ITEMS]
    names, items = {n for n, _ in alerts}, {str(i) for _, i in alerts if i}
    return _offered(actor, own, f"{situation.title}\n{' '.join(sorted(names))}", sorted(items))


def _known(actor: Actor) -> Any:
    found = Problem.objects.filter(status__in=rules.OPEN).exclude(workaround="")
    return visible(actor, "problems", found).distinct()


def _offered(actor: Actor, own: list[Suggested], text: str, items: list[str]) -> list[Suggested]:
    there = {s.record.pk for s in own}
    more = suited("problems", _known(actor), text, items, _SHOWN)
    return [*own, *(s for s in more if s.record.pk not in there)][:_SHOWN]


def _use(actor: Actor, problem: Problem, data: dict[str, Any]) -> Done:
    ticket: Ticket = data["ticket"]
    require(actor, "change", registry["tickets"], ticket)
    if not problem.workaround.strip():
        raise Refused(f"{problem.number} has no workaround")
    text = f"Workaround of {problem.number}:\n\n{problem.workaround}"
    note = saying.say(actor, ticket, text[:20_000], public=False)
    problem.incidents.add(ticket)
    audit.record(actor, "ticket.use-workaround", ticket, after={"problem": problem.number})
    return Done(body={"note": note.pk, "see": f"/tickets/{ticket.pk}/"})


USE = Action(
    "use-workaround", "Use the workaround on…", _use, OnWhichTicket, scope=Scope.WRITE,
    offered=lambda problem: bool(problem.workaround.strip()) and problem.status in rules.OPEN,
)  # fmt: skip
