"""What a step of a runbook, or a task of the catalogue, can carry out: an action of a ticket or a situation, on the record
that it is for, or a job of the platform. Each is checked as if whoever carries it out had done it by hand."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings

from watchkeeper.jobs import port as jobs
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import Invalid, Refused, told
from watchkeeper.kernel.resource import Action, registry

ON = ("tickets", "situations")  # kinds that a run can be for
_JOB = "job"


@lru_cache(maxsize=1)
def choices() -> tuple[tuple[str, str], ...]:
    """What there is to choose from: its name, and what it does in words."""
    acts = (
        (f"{path}.{a.name}", f"{registry[path].name.capitalize()}: {a.label.rstrip('…')}")
        for path in ON
        for a in registry[path].actions
    )
    started = ((f"{_JOB}.{name}", f"Job: {kind.label}") for name, kind in sorted(jobs.kinds().items()))
    return (*acts, *started)


def check(does: str, values: dict[str, Any]) -> None:
    """Raises Invalid, naming the field, when this cannot be carried out with these values."""
    kind, _, name = does.partition(".")
    if does not in dict(choices()):
        raise Invalid(f"there is no {does!r} to carry out", "does")
    if kind == _JOB:
        try:
            jobs.kinds()[name].checked(values)
        except Invalid as error:
            raise Invalid(error.detail, "values") from error
        return
    _given(_action(kind, name), values)


def takes(does: str) -> frozenset[str]:
    """The names of what it is given. Raises Invalid where there is no such thing to carry out."""
    kind, _, name = does.partition(".")
    if does not in dict(choices()):
        raise Invalid(f"there is no {does!r} to carry out", "does")
    if kind == _JOB:
        return jobs.kinds()[name].takes
    fields = _action(kind, name).fields
    return frozenset(getattr(fields(), "fields", ())) if fields is not None else frozenset()


def _action(kind: str, name: str) -> Action:
    action = registry[kind].action(name)
    if action is None:
        raise Invalid(f"there is no {name!r} of {kind} any more", "does")
    return action


def _given(action: Action, values: dict[str, Any]) -> dict[str, Any]:
    if action.fields is None:
        if values:
            raise Invalid(f"“{action.label}” takes no values", "values")
        return {}
    given = action.fields(data=values)
    if not given.is_valid():
        raise Invalid("; ".join(f"{n}: {d}" for n, d in told(given.errors)), "values")
    data: dict[str, Any] = given.validated_data
    return data


def carry_out(actor: Actor, does: str, values: dict[str, Any], on: tuple[str, Any], id: str) -> str:
    """Do it on this record, given with the path of its kind; what came of it, in words. The same `id` starts a job
    once. Raises a WatchkeeperError."""
    kind, _, name = does.partition(".")
    if kind == _JOB:
        started = jobs.start(name, values, actor, id=id)
        return f"Job “{started.label}” was started: {settings.PUBLIC_URL}/jobs/{started.pk}/"
    path, record = on
    if path != kind:
        raise Refused(f"this is for {registry[kind].plural}, and the run is for a {registry[path].name}")
    action = _action(kind, name)
    done = doing.act(registry[kind], action, actor, record, _given(action, values))
    return f"{action.label.rstrip('…')}: {'on its way' if done.pending else 'done'}"


def allowed(actor: Actor, does: str, on: tuple[str, Any]) -> bool:
    """Whether it makes sense to offer it."""
    kind, _, name = does.partition(".")
    return kind == _JOB or (kind == on[0] and may(actor, name, registry[kind], on[1]))
