"""Approvals on the page of the record that they are about: the steps, who has answered, and what is still open."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.annotations.notes import as_html
from watchkeeper.domains.approvals.binding import fingerprint_of
from watchkeeper.domains.approvals.delegating import answerable
from watchkeeper.domains.approvals.models import Answer, ApprovalRequest, Vote
from watchkeeper.domains.approvals.rules import standing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource

MOST = 100


def asked(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """What was asked last about this record, or the request whose page it is; None when nothing was."""
    if isinstance(record, ApprovalRequest):
        found, now = record, record.fingerprint
    else:
        latest = on(ApprovalRequest, resource, [record.pk]).order_by("-id").first()
        if latest is None:
            return None
        found, now = latest, fingerprint_of(resource, record)
    steps = found.steps.order_by("position").prefetch_related(
        "votes__approver", "votes__delegate", "people", "teams"
    )
    mine = to_answer(actor).filter(step__request=found).first()
    return {
        "request": found,
        "standing": standing(found.state, found.fingerprint, now).value,
        "steps": [(s, sorted(s.votes.all(), key=lambda v: v.approver.username)) for s in steps],
        "mine": mine,
    }


def of_vote(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a vote: what is asked, in full."""
    if not isinstance(record, Vote):
        return None
    about = record.step.request
    return {
        "request": about,
        "text": as_html(about.text),
        "mine": to_answer(actor).filter(pk=record.pk).first(),
    }


def to_answer(actor: Actor) -> Any:
    """What waits for this person's answer, what is due first at the top."""
    found = visible(actor, "votes")
    if actor.person is None:
        return found.none()
    return found.filter(answerable(actor.person), answer=Answer.OPEN).order_by("step__due_at", "asked_at")
