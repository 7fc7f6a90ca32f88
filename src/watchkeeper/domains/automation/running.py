"""Starts the job that a rule names, and says when the rule is saved whether it could. The job runs with the rule's
rights and not with those of whoever has made it, so they have to be allowed whatever the job needs, of every record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.exceptions import ValidationError

from watchkeeper.domains.automation.models import EventRule
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.outbox import GiveUp
from watchkeeper.kernel.permissions import decide
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry

_UNSAID = "{!r} does not say what one has to be allowed to start it, so no rule starts it"
_EXAMPLE = Event("event:1", "items", "change", "1", "an example", "2026-01-01T00:00:00Z")


def check(author: Actor, name: str, arguments: Mapping[str, Any]) -> None:
    """Raises ValidationError naming the field: `job` where there is none, or this author or a rule may not start it,
    or `arguments` that it does not take."""
    kind = jobs.kinds().get(name)
    if kind is None:
        known = ", ".join(sorted(jobs.kinds()))
        raise ValidationError({"job": f"there is no job {name!r}; there are: {known}"})
    if kind.needs is None:
        raise ValidationError({"job": _UNSAID.format(name)})
    needed = [("create", "jobs"), kind.needs]
    for actor, whose in ((author, "you"), (_actor("a rule"), "a rule")):
        for act, path in needed:
            decision = decide(actor, act, registry[path])
            if not decision.allowed or decision.partly:
                why = (
                    " ".join(decision.because)
                    if not decision.allowed
                    else "That is so for some of them only."
                )
                said = f"{whose} may not start {name!r}, which needs to {act} {path}: {why}"
                raise ValidationError({"job": said})
    try:
        kind.checked(_with(kind, arguments, _EXAMPLE))
    except Invalid as error:
        raise ValidationError({"arguments": error.detail.removeprefix("arguments: ")}) from error


def start(rule: EventRule, event: Event, message: str) -> str:
    """Start it, once for this message, whose id is that of the job and of its request: so what the job does is known
    to follow from the rule. One that has failed begins anew, which is what a replay is for. Raises a
    WatchkeeperError."""
    kind = jobs.kinds().get(rule.job)
    if kind is not None and kind.needs is None:
        raise GiveUp(_UNSAID.format(rule.job))
    arguments = _with(kind, rule.arguments, event) if kind else rule.arguments
    started = jobs.start(rule.job, arguments, _actor(f"event rule {rule.name}", message), id=message)
    jobs.again(started)
    return f"the job {started.label!r} was started"


def _actor(name: str, message: str = "") -> Actor:
    return Actor(ActorKind.SYSTEM, name, scope=Scope.WRITE, request_id=message)


def _with(kind: jobs.JobKind, arguments: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """The arguments, and the event for a job that takes one."""
    return {**arguments, **({"event": msgspec.to_builtins(event)} if "event" in kind.takes else {})}
