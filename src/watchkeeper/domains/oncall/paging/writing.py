"""Writes what steps do: pages, the ways that they go, and the effects of the outbox that carry them out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from watchkeeper.domains.oncall.paging.models import Page, PageDelivery
from watchkeeper.domains.oncall.paging.planning import Plan
from watchkeeper.kernel import outbox

PAGE, CHANNEL = "page", "page-channel"


def write(plans: Sequence[Plan], now: dt.datetime) -> None:
    """In the caller's transaction, which has the escalations locked."""
    if not plans:
        return
    made = [(_page(plan, pk, why, now), plan.told[pk]) for plan in plans for pk, why in plan.people.items()]
    Page.objects.bulk_create([page for page, _ in made])
    deliveries = [
        PageDelivery(page=page, method=told.method, channel=told.channel, due_at=told.at, held=told.held)
        for page, ways in made
        for told in ways
    ]
    PageDelivery.objects.bulk_create(deliveries)
    outbox.add(
        outbox.Effect(f"{PAGE}:{d.pk}", PAGE, f"pages/{d.page_id}", {"delivery": d.pk}, d.due_at)
        for d in deliveries
    )
    outbox.add(_to_channel(plan) for plan in plans if plan.step is not None and plan.step.channel)


def _page(plan: Plan, person: int, why: str, now: dt.datetime) -> Page:
    state = Page.State.DUE if plan.told[person] else Page.State.FAILED
    return Page(
        escalation=plan.escalation, person_id=person, round=plan.place.round, position=plan.place.index,
        state=state, at=now, because=why if plan.told[person] else f"{why}; there is no way to reach you"[:200],
    )  # fmt: skip


def _to_channel(plan: Plan) -> outbox.Effect:
    assert plan.step is not None
    cause = f"{CHANNEL}:{plan.escalation.pk}:{plan.place.round}:{plan.step.pk}"
    payload = {"escalation": plan.escalation.pk, "step": plan.step.pk, "people": sorted(plan.people)}
    return outbox.Effect(cause, CHANNEL, f"escalations/{plan.escalation.pk}", payload)
