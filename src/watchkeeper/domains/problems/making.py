"""Problems out of incidents, situations and recurrences: several at once make one problem, and nobody types an id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from rest_framework import serializers

from watchkeeper.domains.problems.models import Problem, Recurring
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.rest import Reference

_ITEMS = 100  # of a situation that are named by its problem


class ProblemOf(serializers.Serializer[Any]):
    """Which problem they go to."""

    title = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default="", help_text="empty: that of the first"
    )
    problem = Reference(
        queryset=Problem.objects.all(), required=False, allow_null=True, default=None,
        help_text="one that there is already; empty: a new one",
    )  # fmt: skip


def _problem(actor: Actor, data: dict[str, Any], title: str) -> Problem:
    """The one that was named, or a new one: the same for all that are chosen in one call. Raises Forbidden."""
    kind = registry["problems"]
    if (named := data.get("problem")) is not None:
        there: Problem | None = visible(actor, kind).filter(pk=named.pk).first()
        if there is None:
            raise Invalid("there is no such problem", "problem")
        require(actor, "change", kind, there)
        return there
    require(actor, "create", kind)
    call = f"{actor.kind}:{actor.id}:{actor.request_id}" if actor.request_id else None
    there_now = Problem.objects.filter(made_in=call).first() if call else None
    if there_now is not None:
        return there_now
    made = Problem(title=(data.get("title") or title)[:300], owner=actor.person, made_in=call)
    made.save()
    audit.record(actor, "problem.create", made, after=audit.state_of(made))
    return made


def _of_ticket(actor: Actor, ticket: Any, data: dict[str, Any]) -> Done:
    with transaction.atomic():
        problem = _problem(actor, data, ticket.title)
        _add(
            actor,
            problem,
            incidents=[ticket.pk],
            situations=[s for s in (ticket.situation_id,) if s],
            items=ticket.items.values_list("pk", flat=True),
        )
        problem.description = problem.description or ticket.description
        problem.save(update_fields=["description"])
    return Done()


def _of_situation(actor: Actor, situation: Any, data: dict[str, Any]) -> Done:
    with transaction.atomic():
        problem = _problem(actor, data, situation.title)
        _add(actor, problem, situations=[situation.pk], items=_items_of([situation.pk]),
             incidents=situation.tickets.values_list("pk", flat=True))  # fmt: skip
    return Done()


def of_recurring(actor: Actor, found: Recurring, data: dict[str, Any]) -> Done:
    """A problem of all situations that are alike, with why; its page is next."""
    with transaction.atomic():
        problem = _problem(actor, data, found.title)
        situations = visible(actor, "situations", found.situations.all())
        keys = list(situations.order_by().values_list("pk", flat=True))
        tickets = visible(actor, "tickets").filter(situation__in=keys)
        _add(
            actor,
            problem,
            situations=keys,
            items=_items_of(keys),
            incidents=tickets.values_list("pk", flat=True),
        )
        reasons = "\n".join(f"- {r}" for r in found.because)
        problem.description = (
            problem.description or f"{found.count} situations within 30 days are alike:\n\n{reasons}"
        )
        problem.save(update_fields=["description"])
        found.status, found.problem = Recurring.State.TAKEN, problem
        found.save(update_fields=["status", "problem"])
    return Done(body={"problem": problem.pk, "see": f"/problems/{problem.pk}/"})


def _add(actor: Actor, problem: Problem, **more: Iterable[Any]) -> None:
    """Add incidents, situations and items to a problem, audited."""
    added = {}
    for name, keys in more.items():
        related = getattr(problem, name)
        there = set(related.values_list("pk", flat=True))
        if fresh := [k for k in dict.fromkeys(keys) if k not in there]:
            related.add(*fresh)
            added[name] = fresh
    if added:
        audit.record(actor, "problem.add", problem, after=audit.plain(added))


def _items_of(situations: list[str]) -> list[str]:
    from watchkeeper.domains.inventory.models import Item
    from watchkeeper.domains.situations.models import Alert

    alerts = Alert.objects.filter(memberships__situation__in=situations, item__isnull=False)
    named = alerts.order_by().values_list("item_id", flat=True).distinct()[:_ITEMS]
    return list(Item.objects.filter(pk__in=list(named)).values_list("pk", flat=True))


#: of tickets and of situations; one at a time, or all that are chosen in a list
OF_TICKETS = Action(
    "make-problem", "Make a problem of these…", _of_ticket, ProblemOf, scope=Scope.READ, bulk=True
)
OF_SITUATIONS = Action(
    "make-problem", "Make a problem…", _of_situation, ProblemOf, scope=Scope.READ, bulk=True
)
