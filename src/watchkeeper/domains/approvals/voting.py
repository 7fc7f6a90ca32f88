"""Approve and decline: whoever is asked answers, or who answers for them, once, about the record as it is."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.approvals import asking, rules
from watchkeeper.domains.approvals.binding import fingerprint_of
from watchkeeper.domains.approvals.models import Answer, ApprovalRequest, Step, Vote
from watchkeeper.kernel import hanging
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Forbidden, NotThere, Refused
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.states import Transition, move


class VoteNote(serializers.Serializer[Any]):
    """A note that may be left out."""

    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class VoteReason(serializers.Serializer[Any]):
    """A reason that has to be there."""

    note = serializers.CharField(max_length=2000, label="Why", help_text="whoever asked reads it")


def _answer(actor: Actor, vote: Vote, data: dict[str, Any]) -> None:
    person = actor.person
    if person is None or person.pk not in (vote.approver_id, vote.delegate_id):
        raise Forbidden(
            "answer", "votes", (f"{vote.approver} was asked, and only who answers for them can, too.",)
        )
    step = Step.objects.select_related("request__requester").get(pk=vote.step_id)
    request = step.request
    if request.state != ApprovalRequest.State.WAITING or step.state != Step.State.OPEN:
        raise Refused("it is decided meanwhile")
    if person.pk in request.barred:
        raise Forbidden(
            "answer", "votes", ("Nobody approves what they have asked for or altered themselves.",)
        )
    given = step.votes.exclude(pk=vote.pk).filter(answer__in=(Answer.APPROVED, Answer.DECLINED))
    if given.filter(answered_by=person.username).exists():
        raise Refused("you have answered in this step already; this answer is to be another person's")
    _still(request)
    vote.note, vote.answered_by, vote.decided_at = data.get("note", ""), person.username, timezone.now()
    vote.save()
    _count(actor, request, step, vote.note)


def _still(request: ApprovalRequest) -> None:
    """Raises Refused when the record is no longer what was asked about."""
    try:
        resource, record = hanging.subject(request.kind, request.record)
    except NotThere as error:
        raise Refused("what it was about is no more") from error
    if fingerprint_of(resource, record) != request.fingerprint:
        raise Refused("it has changed since you were asked; you are asked anew")


def _count(actor: Actor, request: ApprovalRequest, step: Step, note: str) -> None:
    answers = step.votes.exclude(answer=Answer.NOT_NEEDED).values_list("answer", flat=True)
    outcome = rules.outcome(step.quorum, list(answers))
    if not outcome:
        return
    step.state = outcome
    step.save(update_fields=["state"])
    step.votes.filter(answer=Answer.OPEN).update(answer=Answer.NOT_NEEDED)
    if outcome == Step.State.DECLINED:
        asking.end(actor, request, ApprovalRequest.State.DECLINED, note)
    else:
        asking.go_on(actor, request)


def _action(way: Transition) -> Action:
    def run(actor: Actor, vote: Vote, data: dict[str, Any]) -> Done:
        with transaction.atomic():
            # Locked before the vote, so that of two who answer at one moment the second sees what the first has said.
            ApprovalRequest.objects.select_for_update().get(steps=vote.step_id)
            move("answer", way, actor, vote, data)
        return Done()

    run.moves = "answer"  # type: ignore[attr-defined]
    return Action(
        way.name, way.label, run, way.fields, offered=lambda v: v.answer == Answer.OPEN, audited=False
    )


_OPEN = (Answer.OPEN.value,)
ANSWERS = tuple(
    _action(way)
    for way in (
        Transition("approve", "Approve", _OPEN, Answer.APPROVED.value, fields=VoteNote, then=_answer),
        Transition("decline", "Decline…", _OPEN, Answer.DECLINED.value, fields=VoteReason, then=_answer),
    )
)
