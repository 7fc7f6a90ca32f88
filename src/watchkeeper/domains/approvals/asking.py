"""Asks for the approval of a record, and says how it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.approvals import delegating, telling
from watchkeeper.domains.approvals.models import Answer, ApprovalRequest, Step, Vote
from watchkeeper.domains.approvals.rules import Asked, Standing, standing
from watchkeeper.domains.identity.behind import behind
from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.kernel import audit, hanging, outbox
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Resource, registry

KIND = "approval-step"  # the kind of effect that looks after a step that is due
_State = ApprovalRequest.State


def ask(
    actor: Actor, record: Any, steps: Sequence[Asked], fingerprint: str, subject: str, *,
    text: str = "", own: bool = False, requester: User | None = None, altered_by: Iterable[User] = (),
) -> ApprovalRequest:  # fmt: skip
    """Ask these people in this order to approve the record as it is; `text` (Markdown) is what they need to know. What
    was asked before and waits, or was approved, holds when the fingerprint is the same; else it ends. `own`: who asks may
    approve, too; else neither they nor those who have altered it (`altered_by`). Raises Refused when a step has too few who
    could approve."""
    resource = _kind_of(record)
    person = requester or behind(actor)
    with transaction.atomic():
        type(record)._base_manager.select_for_update().filter(pk=record.pk).exists()
        before = latest(record)
        if before is not None and before.state in (_State.WAITING, _State.APPROVED):
            if before.fingerprint == fingerprint:
                return before
            end(actor, before, _State.OUTDATED)
        request = ApprovalRequest.objects.create(
            kind=resource.path, record=str(record.pk), subject=subject[:300], text=text, fingerprint=fingerprint,
            requester=person, requested_by=(person.username if person else actor.name)[:200], own=own,
        )  # fmt: skip
        request.altered_by.set(altered_by)
        for position, step in enumerate(steps, 1):
            _add(request, position, step)
        audit.record(actor, "approval-request.ask", request, after={"subject": request.subject})
        go_on(actor, request)
    return request


def state_of(record: Any, fingerprint: str) -> Standing:
    """How the approval of a record stands that is now what this fingerprint says."""
    request = latest(record)
    return standing(request.state, request.fingerprint, fingerprint) if request else Standing.NONE


def latest(record: Any) -> ApprovalRequest | None:
    """What was asked last about a record."""
    return hanging.on(ApprovalRequest, _kind_of(record), [record.pk]).order_by("-id").first()


def withdraw(actor: Actor, record: Any) -> None:
    """Nobody need answer about this record any more, and what was approved no longer counts."""
    request = latest(record)
    if request is not None and request.state in (_State.WAITING, _State.APPROVED):
        end(actor, request, _State.WITHDRAWN)


def _kind_of(record: Any) -> Resource:
    declared = registry.of(type(record))
    if declared is None:
        raise TypeError(f"{type(record).__name__} is no kind of record")
    return hanging.subject(declared.path, str(record.pk))[0]


def _add(request: ApprovalRequest, position: int, asked: Asked) -> None:
    step = Step.objects.create(
        request=request, position=position, name=asked.name[:100], quorum=asked.quorum, hours=asked.hours
    )
    step.people.set(asked.people)
    step.teams.set(asked.teams)
    step.then_people.set(asked.then_people)
    step.then_teams.set(asked.then_teams)
    able = len(voters(step))
    if able < max(1, asked.quorum):
        raise Refused(f"{asked.name}: {_too_few(asked.quorum, able)}")


def _too_few(quorum: int, able: int) -> str:
    who = "nobody could approve it" if not able else f"only {able} could approve it"
    return f"{who}; {max(1, quorum)} must, and who asks or has altered it does not count"


def voters(step: Step, *, fallback: bool = False) -> list[User]:
    """Who may answer for a step, by their names; with `fallback` those who are asked when nobody does."""
    people, teams = (step.then_people, step.then_teams) if fallback else (step.people, step.teams)
    found = set(people.all()) | set(User.objects.filter(teams__in=teams.all()))
    if fallback and not found:
        found = set(User.objects.filter(owned_teams__in=step.teams.all()))
    barred = step.request.barred
    able = (u for u in found if u.is_active and u.kind == AccountKind.PERSON and u.pk not in barred)
    return sorted(able, key=lambda u: u.username)


def go_on(actor: Actor, request: ApprovalRequest) -> None:
    """Ask the next step; with none left, the request is approved."""
    step = request.steps.filter(state=Step.State.COMING).order_by("position").first()
    if step is None:
        end(actor, request, _State.APPROVED)
        return
    step.state = Step.State.OPEN
    step.due_at = timezone.now() + dt.timedelta(hours=step.hours) if step.hours else None
    step.save(update_fields=["state", "due_at"])
    ask_people(step, voters(step))
    remind_at(step, 1)


def ask_people(step: Step, people: Iterable[User]) -> int:
    """Ask those who were not asked yet. Returns how many they are."""
    asked = set(step.votes.values_list("approver", flat=True))
    now = timezone.now()
    new = [Vote.objects.create(step=step, approver=p) for p in people if p.pk not in asked]
    for vote in new:
        vote.delegate = delegating.delegate_of(vote, now)
        vote.save(update_fields=["delegate"])
        telling.asked(vote)
    return len(new)


def remind_at(step: Step, round_: int) -> None:
    """Look at a step again when so many times its hours have passed."""
    if step.hours and step.due_at:
        due = step.due_at + dt.timedelta(hours=step.hours) * (round_ - 1)
        effect = f"{KIND}:{step.pk}:{round_}"
        outbox.add(
            [outbox.Effect(effect, KIND, step.request.subject[:200], {"step": step.pk, "round": round_}, due)]
        )


def end(actor: Actor, request: ApprovalRequest, state: str, note: str = "") -> None:
    """It is decided, or nobody need decide it any more; who asked is told when others decided."""
    acts = {_State.APPROVED: "approve", _State.DECLINED: "decline", _State.WITHDRAWN: "withdraw",
            _State.OUTDATED: "outdate"}  # fmt: skip
    before = request.state
    request.state, request.decided_at = state, timezone.now()
    request.save(update_fields=["state", "decided_at"])
    left = request.steps.filter(state__in=(Step.State.OPEN, Step.State.COMING))
    Vote.objects.filter(step__request=request, answer=Answer.OPEN).update(answer=Answer.NOT_NEEDED)
    left.update(state=Step.State.NOT_NEEDED)
    audit.record(actor, f"approval-request.{acts[_State(state)]}", request, before={"state": before},
                 after={"state": str(state), **({"note": note} if note else {})})  # fmt: skip
    if state in (_State.APPROVED, _State.DECLINED):
        telling.decided(request, actor.name, note)
