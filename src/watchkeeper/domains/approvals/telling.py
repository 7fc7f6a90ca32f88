"""Tells people that they are asked, reminds them, and says how it was decided: in the inbox, and by mail with a link."""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.domains import inbox
from watchkeeper.domains.approvals.models import ApprovalRequest, Vote
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import outbox

KIND = "approval-mail"


def asked(vote: Vote) -> None:
    """Whoever is asked, and who answers for them."""
    request = vote.step.request
    text = f"{request.requested_by} asks for approval: {request.subject}"
    _tell(
        [vote.approver],
        f"vote:{vote.pk}:asked",
        text,
        "You are asked to approve it.",
        "votes",
        vote.pk,
        request.text,
    )
    if vote.delegate is not None:
        why = f"You answer for {vote.approver}."
        _tell([vote.delegate], f"vote:{vote.pk}:asked", text, why, "votes", vote.pk, request.text)


def reminded(vote: Vote, round_: int) -> None:
    """Whoever has not answered."""
    text = f"Your answer is overdue: {vote.step.request.subject}"
    people = [p for p in (vote.approver, vote.delegate) if p is not None]
    _tell(people, f"vote:{vote.pk}:due:{round_}", text, "You are asked to approve it.", "votes", vote.pk)


def decided(request: ApprovalRequest, by: str, note: str) -> None:
    """Whoever asked, unless they did it themselves."""
    if request.requester is None or request.requester.username == by:
        return
    text = (
        f"{by} declined: {request.subject}" if request.state == "declined" else f"Approved: {request.subject}"
    )
    why = note[:200] or "You asked for it."
    _tell(
        [request.requester], f"approval:{request.pk}:{request.state}", text, why, request.kind, request.record
    )


def _tell(
    people: Iterable[User], event: str, text: str, why: str, kind: str, key: object, more: str = ""
) -> None:
    listed = [p for p in people if p.is_active]
    inbox.note(listed, event, text, why, about=(kind, str(key)), mailed=True)
    outbox.add(
        outbox.Effect(
            f"approval:{event}:{person.pk}", KIND, text[:200],
            {"to": person.email, "subject": text, "text": f"{why}\n\n{more}".strip(), "path": f"/{kind}/{key}/"},
        )
        for person in listed
        if person.email
    )  # fmt: skip
