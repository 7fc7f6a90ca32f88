"""Orders over their life: ordered, approved, fulfilled by their tasks, delivered; or declined, or cancelled. The ticket
of an order follows it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access.placing import leave
from watchkeeper.domains.approvals import Asked, ask, fingerprint, withdraw
from watchkeeper.domains.catalog import calling, carrying, delivering, forms, tasks, tickets, working
from watchkeeper.domains.catalog.acts import person_of, team_of
from watchkeeper.domains.catalog.models import CatalogItem, CatalogTask, Order, RequestTask
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.states import Transition, machine, move

State = Order.State


def order(actor: Actor, item: CatalogItem, person: User, answers: dict[str, Any]) -> Order:
    """Order something for somebody; whoever has to agree is asked, else it is approved. Raises ValidationError naming
    the questions, or Refused."""
    if not item.enabled:
        raise Refused(f"{item.name} cannot be ordered at present")
    answers = forms.completed(item.form, answers)
    if wrong := forms.wrong(item.form, answers):
        raise serializers.ValidationError({"answers": {n: [w] for n, w in wrong.items()}})
    with transaction.atomic():
        ticket = tickets.opened(
            actor,
            f"{item.name} for {person.called}",
            _described(item, answers),
            requester=person,
            queue=item.queue,
        )
        made = Order.objects.create(
            item=item, ticket=ticket, ordered_by=_account(actor), person=person, answers=answers, form=item.form,
            price=item.price,
        )  # fmt: skip
        _asked(actor, made)
    return made


def _account(actor: Actor) -> User | None:
    return User.objects.filter(pk=actor.person.pk).first() if actor.person is not None else None


def _described(item: CatalogItem, answers: dict[str, Any]) -> str:
    lines = [f"- {label}: {said}" for label, said in forms.in_words(item.form, answers)]
    return "\n".join([*lines, *([f"- Cost: {item.price}"] if item.price else [])])


def print_of(made: Order) -> str:
    """What an approval is bound to: what was ordered, for whom, at what price."""
    return fingerprint(
        {"item": made.item_id, "person": made.person_id, "answers": made.answers, "price": made.price}
    )


def _asked(actor: Actor, made: Order) -> None:
    steps = [
        Asked(a.name, people=tuple(a.people.all()), teams=(a.team,) if a.team else (), quorum=a.needed)
        for a in made.item.approvals.order_by("position", "id")
    ]
    if steps:
        ask(actor, made, steps, print_of(made), str(made)[:300], text=made.ticket.description)
    else:
        approve(actor, made)


def approve(actor: Actor, made: Order) -> None:
    """Whoever had to agree has: its work begins. In the caller's transaction; nothing for one that is no longer
    waiting."""
    if not _moved(actor, made, (State.ORDERED,), State.APPROVED, "approve"):
        return
    _begin(actor, made)


def _begin(actor: Actor, made: Order) -> None:
    """Make its tasks, those of a step after those of the steps before."""
    tickets.moved(actor, made.ticket, "start")
    _moved(actor, made, (State.APPROVED,), State.FULFILLING, "fulfil")
    before: list[RequestTask] = []
    step: list[RequestTask] = []
    number, now = None, milliseconds(timezone.now())
    time = made.item.calendar.working_time if made.item.calendar else None
    hours = 0.0
    for template in made.item.tasks.select_related("team", "person", "member_of").order_by("step", "id"):
        if template.step != number:
            hours += max((t.hours for t in made.item.tasks.all() if t.step == template.step), default=0.0)
            before, step, number = step or before, [], template.step
        due = moment(working.after(time, now, hours))
        step.append(_task(made, template, before, due))
    if made.item.record_kind:
        tasks.add(
            made.ticket, "Note it in the inventory", after=step, does="record", given={"order": made.pk}
        )
    elif not step and made.item.handover_text:
        finish(actor, made.ticket)  # the mail is what was ordered
    elif not step:
        team = made.item.queue.team if made.item.queue else None
        due = moment(working.after(time, now, CatalogTask.USUAL_HOURS))
        tasks.add(made.ticket, f"Hand over {made.item.name}", team=team, due_at=due)


def _task(made: Order, template: CatalogTask, after: list[RequestTask], due: Any) -> RequestTask:
    more: dict[str, Any] = {"team": template.team, "person": template.person}
    if template.member_of is not None:
        more |= {"does": "join-team", "given": {"team": template.member_of.pk, "person": made.person.pk}}
    elif template.does:
        more |= {"does": carrying.DOES, "given": {"order": made.pk, "template": template.pk}}
    elif template.calls:
        more |= {"does": calling.DOES, "given": {"order": made.pk, "template": template.pk}}
    return tasks.add(
        made.ticket, template.title, after=after, description=template.description, due_at=due, **more
    )


def finish(actor: Actor, ticket: Ticket) -> None:
    """The last task of an order is over: it is delivered, whatever that takes, and its ticket resolved."""
    made = Order.objects.select_related("item", "person", "ticket").filter(ticket=ticket).first()
    if made is None or not _moved(actor, made, (State.FULFILLING,), State.DELIVERED, "deliver"):
        return
    delivering.hand_over(actor, made)
    tickets.moved(actor, ticket, "resolve", resolution=f"{made.item.name} was delivered.")


tasks.finished.append(finish)


def decline(actor: Actor, made: Order, why: str) -> None:
    """Somebody who had to agree has not. In the caller's transaction."""
    if _moved(actor, made, (State.ORDERED,), State.DECLINED, "decline", why):
        tickets.moved(actor, made.ticket, "cancel")


def _moved(actor: Actor, made: Order, origins: tuple[str, ...], to: str, act: str, note: str = "") -> bool:
    now = Order.objects.select_for_update().get(pk=made.pk)
    if now.state not in origins:
        return False
    before, made.state = now.state, to
    made.note = note[:500] or now.note
    made.decided_at = now.decided_at or (timezone.now() if to in (State.APPROVED, State.DECLINED) else None)
    made.ended_at = timezone.now() if to in (State.DELIVERED, State.DECLINED, State.CANCELLED) else None
    made.save(update_fields=["state", "note", "decided_at", "ended_at"])
    audit.record(
        actor,
        f"order.{act}",
        made,
        before={"state": before},
        after={"state": to, **({"note": note} if note else {})},
    )
    return True


def _cancel(actor: Actor, made: Order, _: dict[str, Any]) -> None:
    made.ended_at = timezone.now()
    withdraw(actor, made)
    for task in made.ticket.request_tasks.filter(does="join-team", state=RequestTask.State.DONE):
        leave(person_of(task), team_of(task), actor)  # what was given for it is taken back
    tasks.skip_all(actor, made.ticket, "the order was cancelled")
    tickets.moved(actor, made.ticket, "cancel")


CANCEL = Transition(
    "cancel", "Cancel", (State.ORDERED, State.APPROVED, State.FULFILLING), State.CANCELLED, then=_cancel,
    confirm="What is still to be done for it is skipped.",
)  # fmt: skip
MOVES = machine("state", CANCEL)


def cancel(actor: Actor, made: Order) -> None:
    """Call it off. Raises Refused for one that is over."""
    move("state", CANCEL, actor, made)
