"""Runbooks on their own pages: the steps with where they lead and what is wrong with them, and the step that a run is at."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.annotations.notes import html_of
from watchkeeper.domains.runbooks import deeds, rules
from watchkeeper.domains.runbooks.models import Run, Runbook
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import Resource, registry

_MOST = 200  # steps


def steps(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a runbook: its steps in their order, where each leads, and what is in the way of using it."""
    if not isinstance(record, Runbook):
        return None
    found = list(record.steps.order_by("number")[:_MOST])
    words = dict(deeds.choices())
    return {
        "steps": [{"step": s, "text": html_of(s.text), "does": words.get(s.does, s.does)} for s in found],
        "wrong": rules.wrong(s.rule for s in found) if record.status == rules.DRAFT else [],
        "can_add": record.status != rules.IN_USE and may(actor, "create", registry["runbook-steps"]),
        "following": max((s.number for s in found), default=0) + 1,
    }


def at_step(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a run: the step that it is at with its answers as buttons, and what was done before."""
    if not isinstance(record, Run):
        return None
    step = record.now
    kind, about = subject(record.kind, record.record)
    return {
        "about": kind.title(about), "url": f"/{kind.path}/{about.pk}/", "step": step, "text": html_of(record.said),
        "does": dict(deeds.choices()).get(step.get("does", ""), ""), "done": list(record.done.all()[:_MOST]),
        "can": record.status == rules.UNDER_WAY and may(actor, "change", resource, record),
        "over": record.status != rules.UNDER_WAY,
    }  # fmt: skip
