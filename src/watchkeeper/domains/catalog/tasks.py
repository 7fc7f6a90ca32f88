"""Tasks of requests: made for a ticket, worked on by people or carried out by the platform, and what follows when
one is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.catalog.acts import ACTS
from watchkeeper.domains.catalog.models import RequestTask
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import note
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import told
from watchkeeper.kernel.rest import Reference
from watchkeeper.kernel.states import Transition, machine, move
from watchkeeper.model.errors import WatchkeeperError

KIND = "request-task"  # of effect
State = RequestTask.State
_LIVE = (State.OPEN, State.IN_PROGRESS)
#: called when the last task of a ticket is over, in that transaction
finished: list[Callable[[Actor, Ticket], None]] = []
#: what a task that a person has done brings about besides: a key of `given` → what is called
when_done: dict[str, Callable[[Actor, RequestTask, Item | None], None]] = {}
#: tasks that are done elsewhere: what they do → the kind of effect that sees to it
elsewhere: dict[str, str] = {}


def add(ticket: Ticket, title: str, *, after: Iterable[RequestTask] = (), **more: Any) -> RequestTask:
    """A task of this ticket, in the caller's transaction; one that the platform does is due at once, or at
    `begins_at`, when nothing has to come before it. Whoever it is for is told."""
    task = made(ticket, title, after=after, **more)
    audit.record(SYSTEM, "request-task.create", task, after=audit.state_of(task))
    return task


def made(ticket: Ticket, title: str, *, after: Iterable[RequestTask] = (), **more: Any) -> RequestTask:
    """As `add`, for whoever writes the audit entry themselves."""
    task = RequestTask.objects.create(ticket=ticket, title=title[:200], **more)
    task.after.set(after)
    due(task)
    told_of(task)
    return task


def told_of(task: RequestTask) -> None:
    """Tell whoever has to do it."""
    people = [task.person] if task.person else list(task.team.members.all()) if task.team else []
    who = task.person_id or f"team-{task.team_id}"
    why = "It is yours." if task.person else f"It is for your team, {task.team}."
    note(
        people,
        f"request-task:{task.pk}:{who}",
        f"To be done: {task}",
        why,
        about=("request-tasks", str(task.pk)),
    )


def due(task: RequestTask) -> None:
    """Let the platform do it, if it is for the platform and nothing has to come before it."""
    if task.does and task.state == State.OPEN and not task.waits_for:
        subject, kind = f"request-tasks/{task.pk}", elsewhere.get(task.does, KIND)
        outbox.add([outbox.Effect(_key(task), kind, subject, {"task": task.pk}, task.begins_at)])


def _key(task: RequestTask) -> str:
    return f"{elsewhere.get(task.does, KIND)}:{task.pk}:{task.tries}"


def is_due(task: RequestTask, row: OutboxRow) -> bool:
    """Whether this effect is the one by which it is done now, and nothing has to come before it."""
    return not task.waits_for and row.pk == _key(task)


@outbox.handler(KIND)
def carry_out(row: OutboxRow) -> str:
    """Do what a task says, and what follows from it. What is in the way becomes its note, and it has failed."""
    with transaction.atomic():
        task = (
            RequestTask.objects.select_for_update().filter(pk=row.payload["task"], state=State.OPEN).first()
        )
        if task is None or not is_due(task, row):
            return "it is not to be done any more"
        try:
            with transaction.atomic():
                task.note, task.state = ACTS[task.does](task), State.DONE
        except (WatchkeeperError, serializers.ValidationError) as error:
            task.note, task.state = _said(error), State.FAILED
        _ended(SYSTEM, task)
        audit.record(SYSTEM, f"request-task.{task.state}", task, before={"state": State.OPEN},
                     after={"state": task.state, "note": task.note})  # fmt: skip
        over(SYSTEM, task)
    return task.note


def _said(error: Exception) -> str:
    detail = getattr(error, "detail", "")
    return detail if isinstance(detail, str) else "; ".join(f"{n}: {w}" for n, w in told(detail))


def _ended(actor: Actor, task: RequestTask) -> None:
    task.ended_at, task.ended_by = timezone.now(), actor.name[:200]
    task.save()


def transition(actor: Actor, task: RequestTask, how: str, **given: str) -> None:
    """What the transition of this name does, without the work of a person. Raises Refused when it cannot be."""
    move("state", next(t for t in TRANSITIONS if t.name == how), actor, task, given)


def over(actor: Actor, task: RequestTask) -> None:
    """What follows when this task is over: those that waited for it are due, and a request of which it was the last
    is finished. In the caller's transaction."""
    if not task.over:
        return
    # Locked, so that of two last ones that end at one moment the second sees that the first is over.
    Ticket.objects.select_for_update(of=("self",)).get(pk=task.ticket_id)
    for following in task.before.all():
        due(following)
    if not task.ticket.request_tasks.exclude(state__in=RequestTask.OVER).exists():
        for finish in finished:
            finish(actor, task.ticket)


def skip_all(actor: Actor, ticket: Ticket, why: str) -> None:
    """Skip what is left of a request that is called off."""
    for task in ticket.request_tasks.exclude(state__in=RequestTask.OVER):
        before, task.state, task.note = task.state, State.SKIPPED, why
        _ended(actor, task)
        audit.record(actor, "request-task.skip", task, before={"state": before},
                     after={"state": State.SKIPPED, "note": why})  # fmt: skip


class Outcome(serializers.Serializer[Any]):
    """What came of it."""

    note = serializers.CharField(max_length=5000, required=False, allow_blank=True, label="What was done",
                                 style={"base_template": "textarea.html"})  # fmt: skip
    item = Reference(queryset=Item.objects.all(), required=False, allow_null=True, label="Inventory item",
                     help_text="the device or other record that was handed over, where it is in the inventory")  # fmt: skip


class Why(serializers.Serializer[Any]):
    """A reason, which has to be there."""

    note = serializers.CharField(max_length=5000, label="Why", style={"base_template": "textarea.html"})


def _waits(task: RequestTask) -> str:
    names = [str(t) for t in task.waits_for]
    return f"it waits for: {', '.join(names)}" if names else ""


def _begin(actor: Actor, task: RequestTask, _: dict[str, Any]) -> None:
    if task.person_id is None and actor.person is not None:
        task.person = User.objects.get(pk=actor.person.pk)


def _done(actor: Actor, task: RequestTask, data: dict[str, Any]) -> None:
    task.note = data.get("note", "")
    item = data.pop("item", None)
    for name in task.given.keys() & when_done.keys():
        when_done[name](actor, task, item)
    _end(actor, task)


def _end(actor: Actor, task: RequestTask) -> None:
    _ended(actor, task)
    over(actor, task)


def _with_reason(actor: Actor, task: RequestTask, data: dict[str, Any]) -> None:
    task.note = data["note"]
    _end(actor, task)


def _again(_: Actor, task: RequestTask, __: dict[str, Any]) -> None:
    task.note, task.ended_at, task.ended_by, task.tries = "", None, "", task.tries + 1
    task.save()
    due(task)


TRANSITIONS = (
    Transition("start", "Start work", (State.OPEN,), State.IN_PROGRESS, guard=_waits, then=_begin),
    Transition("done", "Done…", (*_LIVE, State.FAILED), State.DONE, guard=_waits, fields=Outcome, then=_done),
    Transition("fail", "It failed…", _LIVE, State.FAILED, fields=Why, then=_with_reason),
    Transition("skip", "Skip…", (*_LIVE, State.FAILED), State.SKIPPED, fields=Why, then=_with_reason),
    Transition("retry", "Try again", (State.FAILED,), State.OPEN, then=_again),
)  # fmt: skip
MOVES = machine("state", *TRANSITIONS)
