"""Starts the job that a rule names. Nothing else here knows how jobs are declared and started."""

from __future__ import annotations

import msgspec

from watchkeeper.domains.automation.models import EventRule
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.ports import ports


def wrong(name: str) -> str:
    """What is wrong with the name of a job; "" when there is one."""
    if ports.jobs is None:
        return "no jobs can be run from here"
    known = sorted(ports.jobs.names())
    return "" if name in known else f"there is no job {name!r}; there are: {', '.join(known)}"


def start(rule: EventRule, event: Event, message: str) -> str:
    """Start it, once for this message, whose id is that of the job and of its request: so what the job does is known
    to follow from the rule. Raises a WatchkeeperError."""
    actor = Actor(ActorKind.SYSTEM, f"event rule {rule.name}", scope=Scope.WRITE, request_id=message)
    arguments = {**rule.arguments, "event": msgspec.to_builtins(event)}
    return ports.start(rule.job, arguments, id=message, actor=actor)
