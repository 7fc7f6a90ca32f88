"""How changes go from state to state, and what belongs to each step."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains import approvals
from watchkeeper.domains.changes import approving, assessing, rules, telling
from watchkeeper.domains.changes.models import Change
from watchkeeper.domains.maintenance import holding
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Forbidden, Invalid, Refused
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.states import Transition, machine, move

START = "change-start"  # the kind of effect that comes at the beginning of a window


class Despite(serializers.Serializer[Any]):
    """Whoever schedules has seen what it collides with."""

    despite = serializers.BooleanField(
        default=False,
        label="Despite collisions",
        help_text="needed when other changes touch the same in this window",
    )


class Told(serializers.Serializer[Any]):
    """What happened."""

    note = serializers.CharField(max_length=5000, label="What happened")


class Reviewing(serializers.Serializer[Any]):
    """The post-implementation review."""

    outcome = serializers.ChoiceField(choices=Change.Outcome.choices)
    notes = serializers.CharField(
        max_length=20_000, help_text="what went well, what did not, what is done differently next time"
    )


def _unready(change: Change) -> str:
    if change.starts_at is None or change.ends_at is None:
        return "say when its window begins and ends"
    if change.type == Change.Type.STANDARD and change.model is None:
        return "a standard change names its model"
    return "" if change.implementation.strip() else "there is no implementation plan"


def _ask(actor: Actor, change: Change, _: dict[str, Any]) -> None:
    assessing.measure(change)
    change.save()
    approving.ask(actor, change)


def _not_standard(change: Change) -> str:
    if not change.standard:
        return "only a standard change with a model is approved in advance"
    return (
        ""
        if approving.standard_as_described(change)
        else "its plans are not those of its model: ask for approval"
    )


def _schedulable(change: Change) -> str:
    if change.starts_at is None or change.ends_at is None:
        return "say when its window begins and ends"
    if not approving.still_holds(change):
        return "it has changed since it was approved, and is to be approved anew"
    if change.ends_at <= timezone.now():
        return "its window is over: choose another"
    return _frozen(change)


def _frozen(change: Change) -> str:
    frozen = [f.name for f in assessing.freezes_of(change) if f.strict]
    if not frozen or (change.type == Change.Type.EMERGENCY and change.exception.strip()):
        return ""
    more = (
        ": say why it cannot wait"
        if change.type == Change.Type.EMERGENCY
        else "; only an emergency may be changed in it"
    )
    return f"it is within the freeze {', '.join(frozen)}{more}"


def _schedule(actor: Actor, change: Change, data: dict[str, Any]) -> None:
    met = assessing.collisions(change)
    if met and not data.get("despite"):
        raise Invalid("; ".join(text for _, text in met), "despite")
    if change.automatic and change.job:
        need = jobs.kinds()[change.job].needs
        if need is not None:
            require(actor, need[0], registry[need[1]])
    assessing.measure(change)
    assert change.starts_at is not None
    effect = f"{START}:{change.pk}:{change.starts_at:%Y%m%dT%H%M%S%f}"
    outbox.add([outbox.Effect(effect, START, str(change)[:200],
                              {"change": change.pk, "at": change.starts_at.isoformat()}, change.starts_at)])  # fmt: skip
    outbox.again(OutboxRow.objects.filter(pk=effect))  # it was scheduled for then before, and did not start


def _startable(change: Change) -> str:
    now = timezone.now()
    if not approving.still_holds(change):
        return "it has changed since it was approved, and is to be approved anew"
    if change.starts_at is None or change.ends_at is None or not change.starts_at <= now < change.ends_at:
        return "it may run within its window only"
    return _frozen(change)


def _start(actor: Actor, change: Change, _: dict[str, Any]) -> None:
    now = timezone.now()
    change.started_at = now
    items = list(change.items.all())
    if change.holds_back and items and change.ends_at is not None:
        change.window = holding.begin(actor, str(change), change.reason, items, now, change.ends_at)
    telling.event(change, "began", now, items)


def _end(actor: Actor, change: Change, data: dict[str, Any]) -> None:
    now = timezone.now()
    change.ended_at = now
    if note := data.get("note", ""):
        change.review = note
    if change.window is not None:
        holding.finish(actor, change.window, now)
    said = {rules.DONE: "is done", rules.FAILED: "has failed", rules.BACKED_OUT: "was backed out"}[
        change.status
    ]
    telling.event(change, said, now, list(change.items.all()))
    if change.status in rules.WENT_WRONG:
        telling.owner(change, "review", f"{change} {said}: what happened? Its review waits.")


def _review(_: Actor, change: Change, data: dict[str, Any]) -> None:
    change.outcome = data["outcome"]
    change.review = "\n\n".join(t for t in (change.review, data["notes"]) if t)


def _unreviewed(change: Change) -> str:
    return "it went wrong: it is reviewed first" if change.status in rules.WENT_WRONG else ""


def _cancel(actor: Actor, change: Change, _: dict[str, Any]) -> None:
    approvals.withdraw(actor, change)


_RUNNING = (rules.STARTED,)
SCHEDULE = Transition("schedule", "Schedule…", (rules.APPROVED,), rules.SCHEDULED, guard=_schedulable, fields=Despite,
                      then=_schedule)  # fmt: skip
_UNSCHEDULE = Transition("unschedule", "", (rules.SCHEDULED,), rules.APPROVED)
BEGIN = Transition("start", "Start", (rules.SCHEDULED,), rules.STARTED, guard=_startable, then=_start)
FINISH = Transition("finish", "It is done", _RUNNING, rules.DONE, then=_end)
MOVES = machine(
    "status",
    Transition("assess", "Assess", (rules.DRAFT,), rules.ASSESSED, guard=_unready, then=approving.measured),
    Transition("pre-approve", "Take as approved (standard)", (rules.ASSESSED,), rules.APPROVED, guard=_not_standard),
    Transition("ask", "Ask for approval", (rules.ASSESSED,), rules.WAITING, guard=_unready, then=_ask),
    SCHEDULE,
    BEGIN,
    FINISH,
    Transition("fail", "It has failed…", _RUNNING, rules.FAILED, fields=Told, then=_end),
    Transition("back-out", "It was backed out…", _RUNNING, rules.BACKED_OUT, fields=Told, then=_end),
    Transition("review", "Review…", rules.ENDED, rules.REVIEWED, fields=Reviewing, then=_review),
    Transition("close", "Close", (*rules.ENDED, rules.REVIEWED), rules.CLOSED, guard=_unreviewed),
    Transition("redraft", "Back to draft", (rules.ASSESSED, rules.WAITING, rules.APPROVED, rules.SCHEDULED), rules.DRAFT,
               then=_cancel, confirm="Its approval has to be asked for again."),
    Transition("cancel", "Cancel", rules.BEFORE, rules.CANCELLED, then=_cancel, confirm="It will not be done."),
)  # fmt: skip


def replan(actor: Actor, change: Change) -> Change:
    """What it was scheduled with has been altered: it is scheduled again where nothing is in the way, else it is approved
    and no more than that, and its owner is told why."""
    change = move("status", _UNSCHEDULE, actor, change)
    try:
        require(actor, SCHEDULE.name, registry["changes"], change)
        change = move("status", SCHEDULE, actor, change)
    except (Forbidden, Invalid, Refused) as error:
        text = f"{change} was altered and is not scheduled any more: {error.detail}"
        telling.owner(change, f"unscheduled:{timezone.now().isoformat()}", text)
    return change
