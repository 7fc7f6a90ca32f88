"""Runs of runbooks: begun on a ticket or a situation, and led on from step to step. What was answered and done, by whom,
stays; an action is carried out once somebody has confirmed it, and, where the step says so, somebody else has approved."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.behind import behind
from watchkeeper.domains.runbooks import deeds, rules
from watchkeeper.domains.runbooks.models import Run, Runbook, RunStep
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.rest import Reference
from watchkeeper.model.errors import WatchkeeperError


class RunOn(serializers.Serializer[Any]):
    """What it is gone through for."""

    ticket = Reference(queryset=Ticket.objects.all(), required=False, allow_null=True, default=None)
    situation = Reference(queryset=Situation.objects.all(), required=False, allow_null=True, default=None)


class StepAnswer(serializers.Serializer[Any]):
    """How it goes on."""

    answer = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="of a question: one of its answers",
    )
    note = serializers.CharField(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text="what was seen, if it is worth keeping",
    )


class StepReason(serializers.Serializer[Any]):
    """Why."""

    note = serializers.CharField(max_length=2000, label="Why", help_text="in a sentence")


def _begin(actor: Actor, runbook: Runbook, data: dict[str, Any]) -> Done:
    named = [(path, r) for path, r in (("tickets", data["ticket"]), ("situations", data["situation"])) if r]
    if len(named) != 1:
        raise Invalid("say which ticket or which situation it is for, one of them", "ticket")
    path, record = named[0]
    require(actor, "change", registry[path], record)
    steps = [s.kept() for s in runbook.steps.order_by("number")]
    person = behind(actor)
    run = Run.objects.create(
        kind=path, record=str(record.pk), runbook=runbook, name=runbook.name, step=steps[0]["number"], steps=steps,
        started_by=actor.name[:200], started_by_id=str(person.pk) if person else "",
    )  # fmt: skip
    audit.record(actor, "runbook-run.create", run, after=audit.state_of(run))
    return Done(body={"run": run.pk, "see": f"/runbook-runs/{run.pk}/"})


BEGIN = Action("run", "Go through it…", _begin, RunOn, scope=Scope.READ, audited=False,
               offered=lambda runbook: runbook.status == rules.IN_USE)  # fmt: skip


def _locked(run: Run) -> Run:
    """The run, which nobody else leads on meanwhile. Raises Refused when somebody has."""
    now = Run.objects.select_for_update().get(pk=run.pk)
    if now.status != rules.UNDER_WAY or now.step != run.step:
        raise Refused(f"{run} has gone on meanwhile; look at it again")
    return now


def _go_on(actor: Actor, run: Run, data: dict[str, Any]) -> Done:
    with transaction.atomic():
        now = _locked(run)
        step = now.now
        if step["sort"] == rules.ASKING:
            answers = {a["answer"]: a["step"] for a in step["answers"]}
            if data["answer"] not in answers:
                raise Invalid(f"the answer is one of: {', '.join(answers)}", "answer")
            following = answers[data["answer"]]
        elif data["answer"]:
            raise Invalid("this step asks nothing", "answer")
        else:
            following = step["then"]
        _note(now, actor, answer=data["answer"], note=data["note"])
        _lead(now, following)
    return Done()


def _lead(run: Run, number: int) -> None:
    """To the step of this number; at an end, the run is over."""
    run.step, run.approved_by = number, ""
    if run.now["sort"] == rules.END:
        run.status, run.ended_at = rules.FINISHED, timezone.now()
    run.save()


def _note(run: Run, actor: Actor, **more: Any) -> RunStep:
    return RunStep.objects.create(run=run, number=run.step, text=run.said, by=actor.name[:200], **more)


def _is(run: Run, *sorts: str) -> bool:
    return run.status == rules.UNDER_WAY and run.now.get("sort") in sorts


def _waits(run: Run) -> bool:
    return _is(run, rules.DOING) and bool(run.now["approval"]) and not run.approved_by


def _approve(actor: Actor, run: Run, _: dict[str, Any]) -> Done:
    with transaction.atomic():
        now = _locked(run)
        if actor.person is None or actor.person.is_service:
            raise Refused("a person has to approve this step")
        if str(actor.person.pk) == now.started_by_id:
            raise Refused("somebody else than who began the run has to approve this step")
        now.approved_by = actor.name[:200]
        now.save(update_fields=["approved_by"])
    return Done()


def _carry_out(actor: Actor, run: Run, _: dict[str, Any]) -> Done:
    """Noted before it is done, so that a kill in between leaves a trace, and not a second time."""
    with transaction.atomic():
        now = _locked(run)
        if _waits(now):
            raise Refused("somebody else has to approve this step first")
        if now.done.filter(number=now.step, failed=False, result="").exists():
            raise Refused(
                "it was begun before, and what came of it is not known: look, and then go on by hand"
            )
        noted = _note(now, actor)
        audit.record(actor, "runbook-run.carry-out", now, after={"step": now.step, "does": now.now["does"]})
    kind, record = subject(now.kind, now.record)
    try:
        noted.result = deeds.carry_out(
            actor, now.now["does"], now.now["values"], (kind.path, record), f"runbook-run-{now.pk}-{noted.pk}"
        )
    except WatchkeeperError as error:
        noted.result, noted.failed = error.detail, True
    with transaction.atomic():
        noted.save(update_fields=["result", "failed"])
        if not noted.failed:
            _lead(_locked(now), now.now["then"])
    if noted.failed:
        raise Refused(f"it failed: {noted.result}. Try it again, or go on by hand.")
    return Done()


_carry_out.journaled = True  # type: ignore[attr-defined]  # what it does may go through the journal


def _by_hand(actor: Actor, run: Run, data: dict[str, Any]) -> Done:
    with transaction.atomic():
        now = _locked(run)
        _note(now, actor, note=data["note"], result="not carried out here")
        _lead(now, now.now["then"])
    return Done()


def _stop(actor: Actor, run: Run, data: dict[str, Any]) -> Done:
    with transaction.atomic():
        now = _locked(run)
        _note(now, actor, note=data["note"], result="stopped here")
        now.status, now.ended_at = rules.STOPPED, timezone.now()
        now.save()
    return Done()


LEADING = (
    Action("go-on", "Go on…", _go_on, StepAnswer, offered=lambda r: _is(r, rules.TELLING, rules.ASKING)),
    Action("approve", "Approve this step", _approve, offered=_waits, confirm="It is carried out when somebody confirms it."),
    Action("carry-out", "Carry it out", _carry_out, offered=lambda r: _is(r, rules.DOING) and not _waits(r), audited=False,
           confirm="It is done at once."),
    Action("by-hand", "Go on without it…", _by_hand, StepReason, offered=lambda r: _is(r, rules.DOING)),
    Action("stop", "Stop…", _stop, StepReason, offered=lambda r: r.status == rules.UNDER_WAY),
)  # fmt: skip
