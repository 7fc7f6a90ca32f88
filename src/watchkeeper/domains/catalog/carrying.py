"""Tasks that the platform carries out: an action on the ticket of the order, or a job. They are what steps of runbooks can
carry out, and run as the platform; whoever names one in the catalogue has to be allowed to do it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.catalog import tasks, texts
from watchkeeper.domains.catalog.delivering import values_of
from watchkeeper.domains.catalog.models import CatalogTask, Order, RequestTask
from watchkeeper.domains.runbooks import deeds
from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job, JobState
from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError

DO, LOOK = "request-deed", "request-deed-look"  # kinds of effects
DOES = "deed"
State = RequestTask.State
_ON, _JOB = "tickets", "job"
_AGAIN = dt.timedelta(seconds=15)  # between two looks at a job that is under way
tasks.elsewhere[DOES] = DO


def choices() -> tuple[tuple[str, str], ...]:
    """What there is to choose from: its name, and what it does in words."""
    return tuple((name, label) for name, label in deeds.choices() if name.partition(".")[0] in (_ON, _JOB))


def check(actor: Actor | None, does: str, values: Mapping[str, str], questions: Mapping[str, Any]) -> None:
    """Raises Invalid or BadText where it cannot be carried out with these values, in which `$name` stands for an answer,
    and Forbidden for whoever may not do it themselves."""
    for text in values.values():
        texts.check(text, questions)
    if any("$" in text for text in values.values()):
        if unknown := sorted(values.keys() - deeds.takes(does)):
            raise Invalid(f"it takes no {unknown[0]!r}", "values")
    else:
        deeds.check(does, dict(values))
    kind, _, name = does.partition(".")
    needs = jobs.kinds()[name].needs if kind == _JOB else (name, kind)
    if actor is not None and needs is not None:
        require(actor, needs[0], registry[needs[1]])


@outbox.handler(DO)
def do(row: OutboxRow) -> str:
    """Carry it out; what is in the way becomes the task's note, and it has failed. A job is looked at until it is over.
    All of it or nothing: after a fault the task is open, and the next attempt finds it."""
    with transaction.atomic():
        task = (
            RequestTask.objects.select_for_update().filter(pk=row.payload["task"], state=State.OPEN).first()
        )
        if task is None or not tasks.is_due(task, row):
            return "it is not to be done any more"
        template = CatalogTask.objects.filter(pk=task.given["template"]).first()
        tasks.transition(SYSTEM, task, "start")
        try:
            with transaction.atomic():
                said = _carried_out(task, template)
        except WatchkeeperError as error:
            tasks.transition(SYSTEM, task, "fail", note=error.detail)
            return error.detail
        if template is not None and template.does.startswith(f"{_JOB}."):
            RequestTask.objects.filter(pk=task.pk).update(note=said)
            _look_later(task, 1)
        else:
            tasks.transition(SYSTEM, task, "done", note=said)
    return said


def _carried_out(task: RequestTask, template: CatalogTask | None) -> str:
    if template is None or not template.does:
        raise Invalid("The task of the catalogue does not say any more what to do.", "does")
    order = Order.objects.select_related("item", "person", "ticket").get(pk=task.given["order"])
    values = {n: texts.filled(text, values_of(order)) for n, text in template.values.items()}
    given = {n: v for n, v in values.items() if v}
    return deeds.carry_out(SYSTEM, template.does, given, (_ON, order.ticket), _job_of(task))


def _job_of(task: RequestTask) -> str:
    return f"request-task-{task.pk}-{task.tries}"


def _look_later(task: RequestTask, times: int) -> None:
    effect = f"{LOOK}:{task.pk}:{task.tries}:{times}"
    payload = {"task": task.pk, "job": _job_of(task), "times": times}
    due = timezone.now() + _AGAIN
    outbox.add([outbox.Effect(effect, LOOK, f"request-tasks/{task.pk}", payload, due)])


@outbox.handler(LOOK)
def look(row: OutboxRow) -> str:
    """Whether the job of a task is over, and how; else look again later."""
    task = RequestTask.objects.filter(pk=row.payload["task"], state=State.IN_PROGRESS).first()
    if task is None or _job_of(task) != row.payload["job"]:
        return "it is not waited for any more"
    job = Job.objects.filter(pk=row.payload["job"]).first()
    if job is not None and job.state in (JobState.WAITING, JobState.RUNNING):
        _look_later(task, row.payload["times"] + 1)
        return "it is under way"
    if job is not None and job.state == JobState.DONE:
        tasks.transition(SYSTEM, task, "done", note=f"{task.note}\nIt is done.")
        return "done"
    why = (job.error or f"the job is {job.state}") if job is not None else "the job is gone"
    tasks.transition(SYSTEM, task, "fail", note=f"{task.note}\n{why}")
    return why
