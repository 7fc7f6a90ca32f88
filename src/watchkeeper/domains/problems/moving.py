"""How problems go from state to state: what must be said on the way, and what stands in it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.problems import rules
from watchkeeper.domains.problems.models import Cause, Problem, ProblemAction
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.states import Transition, machine


class KnownError(serializers.Serializer[Any]):
    """What is known."""

    known_error = serializers.CharField(
        max_length=20_000, help_text="what is wrong, in Markdown", style={"base_template": "textarea.html"}
    )
    workaround = serializers.CharField(
        max_length=20_000, required=False, allow_blank=True, default="", style={"base_template": "textarea.html"},
        help_text="how one helps oneself until then, in Markdown: it is offered on open tickets",
    )  # fmt: skip


class ProblemResolution(serializers.Serializer[Any]):
    """What was done."""

    resolution = serializers.CharField(
        max_length=20_000, help_text="what was done, in Markdown", style={"base_template": "textarea.html"}
    )


class Closing(serializers.Serializer[Any]):
    """Why, if something is left to do."""

    reason = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, default="",
        help_text="why it is closed although actions are open; empty when none is",
    )  # fmt: skip


class Verdict(serializers.Serializer[Any]):
    """What shows it."""

    why = serializers.CharField(max_length=2000, label="What shows it", help_text="in a sentence")


class ActionOutcome(serializers.Serializer[Any]):
    """What came of it."""

    outcome = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, default="", label="What came of it"
    )


def _known(_: Actor, problem: Problem, data: dict[str, Any]) -> None:
    problem.known_error, problem.known_at = data["known_error"], timezone.now()
    problem.workaround = data.get("workaround") or problem.workaround


def _resolved(_: Actor, problem: Problem, data: dict[str, Any]) -> None:
    problem.resolution, problem.resolved_at = data["resolution"], timezone.now()


def _closed(_: Actor, problem: Problem, data: dict[str, Any]) -> None:
    left = problem.actions.filter(done_at=None).count()
    if left and not data["reason"].strip():
        raise Invalid(
            f"{left} of its actions are open: do them, or say why it is closed all the same", "reason"
        )
    problem.left_open, problem.closed_at = (data["reason"] if left else ""), timezone.now()


def _again(_: Actor, problem: Problem, __: dict[str, Any]) -> None:
    problem.resolved_at = problem.closed_at = None


MOVES = machine(
    "status",
    Transition("investigate", "Investigate", (rules.NEW,), rules.INVESTIGATING),
    Transition(
        "know",
        "It is a known error…",
        (rules.NEW, rules.INVESTIGATING),
        rules.KNOWN,
        fields=KnownError,
        then=_known,
    ),
    Transition("doubt", "Investigate again", (rules.KNOWN,), rules.INVESTIGATING),
    Transition("resolve", "Resolve…", rules.OPEN, rules.RESOLVED, fields=ProblemResolution, then=_resolved),
    Transition("close", "Close…", (rules.RESOLVED,), rules.CLOSED, fields=Closing, then=_closed),
    Transition("reopen", "Open again", (rules.RESOLVED, rules.CLOSED), rules.INVESTIGATING, then=_again),
)


def _judge(verdict: str) -> Any:
    def run(_: Actor, cause: Cause, data: dict[str, Any]) -> Done:
        cause.verdict, cause.why = verdict, data["why"]
        cause.save(update_fields=["verdict", "why"])
        return Done()

    return run


JUDGING = (
    Action("confirm", "Confirm…", _judge(rules.CONFIRMED), Verdict, offered=lambda c: c.verdict != rules.CONFIRMED),
    Action("rule-out", "Rule out…", _judge(rules.RULED_OUT), Verdict, offered=lambda c: c.verdict != rules.RULED_OUT),
)  # fmt: skip


def _done(_: Actor, action: ProblemAction, data: dict[str, Any]) -> Done:
    action.done_at, action.outcome = timezone.now(), data["outcome"]
    action.save(update_fields=["done_at", "outcome"])
    return Done()


def _undone(_: Actor, action: ProblemAction, __: dict[str, Any]) -> Done:
    if action.problem.status == rules.CLOSED:
        raise Refused(f"{action.problem.number} is closed")
    action.done_at = None
    action.save(update_fields=["done_at"])
    return Done()


DOING = (
    Action("done", "Done…", _done, ActionOutcome, offered=lambda a: a.done_at is None),
    Action("undone", "Not done after all", _undone, offered=lambda a: a.done_at is not None),
)
