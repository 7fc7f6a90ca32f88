"""Tasks that something else does, which is called for that: an automation server, a pipeline, a provider of machines. It
gets the order as a signed webhook. An answer of 2xx says that it is done; 202 that it is under way, and that whoever does
it will say so at the task's address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from watchkeeper.domains.catalog import tasks
from watchkeeper.domains.catalog.models import CatalogTask, Order, RequestTask
from watchkeeper.domains.outgoing import webhooks
from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.events import text
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.errors import WatchkeeperError

CALL = "request-call"  # kind of effect
DOES = "call"
State = RequestTask.State
_UNDER_WAY = "202"
tasks.elsewhere[DOES] = CALL


@outbox.handler(CALL)
def call(row: OutboxRow) -> str:
    """Call it; in no transaction, because it may take its time. Raises TryAgain, GiveUp, Unreachable or OSError."""
    task = RequestTask.objects.filter(pk=row.payload["task"]).first()
    if task is None or task.state not in (State.OPEN, State.IN_PROGRESS) or not tasks.is_due(task, row):
        return "it is not to be done any more"
    template = CatalogTask.objects.filter(pk=task.given["template"]).first()
    if template is None or not template.address:
        tasks.transition(
            SYSTEM, task, "fail", note="The task of the catalogue does not say any more what to call."
        )
        return "nothing to call"
    if task.state == State.OPEN:
        tasks.transition(SYSTEM, task, "start")
    try:
        said = webhooks.post(template.address, template.secret, webhooks.message_id(row.pk), _content(task))
    except (WatchkeeperError, OSError) as error:
        _failed(task, error, row)
        raise
    if said.startswith(_UNDER_WAY):
        RequestTask.objects.filter(pk=task.pk, state=State.IN_PROGRESS).update(note=f"Under way: {said}")
    else:
        tasks.transition(SYSTEM, task, "done", note=said)
    return said


def _failed(task: RequestTask, error: Exception, row: OutboxRow) -> None:
    said = getattr(error, "detail", "") or str(error) or repr(error)
    if isinstance(error, webhooks.FINAL) or row.attempts >= outbox.ATTEMPTS:
        tasks.transition(SYSTEM, task, "fail", note=said)
        if isinstance(error, webhooks.FINAL):
            raise outbox.GiveUp(said) from error
    else:
        RequestTask.objects.filter(pk=task.pk).update(note=f"It is tried again: {said}")


def _content(task: RequestTask) -> dict[str, Any]:
    order = Order.objects.select_related("item", "person", "ticket").get(pk=task.given["order"])
    person = order.person
    return {
        "type": "request-task",
        "timestamp": text(timezone.now()),
        "data": {
            "task": task.pk, "title": task.title, "description": task.description, "ticket": order.ticket.number,
            "item": order.item.name, "answers": order.answers,
            "person": {"username": person.username, "name": person.called, "email": person.email},
            "see": f"{settings.PUBLIC_URL}/request-tasks/{task.pk}/",
            "done": f"{settings.PUBLIC_URL}/api/request-tasks/{task.pk}/done/",
            "fail": f"{settings.PUBLIC_URL}/api/request-tasks/{task.pk}/fail/",
        },
    }  # fmt: skip


def make(_: Actor, data: dict[str, Any]) -> CatalogTask:
    """A task of a catalogue item; its signing secret, where it calls something, is shown once."""
    made = CatalogTask(**data)
    _sign(made)
    made.save()
    return made


def change(_: Actor, task: CatalogTask, data: dict[str, Any]) -> CatalogTask:
    """As it is told; with another address comes another secret."""
    moved = data.get("address", task.address) != task.address
    for name, value in data.items():
        setattr(task, name, value)
    if moved:
        _sign(task)
    task.save()
    return task


def _sign(task: CatalogTask) -> None:
    task.secret = webhooks.new_secret() if task.address else ""
    if task.secret:
        task.shown_once = {"secret": task.secret}  # type: ignore[attr-defined]
