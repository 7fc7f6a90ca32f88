"""Who has to approve a change, by its risk, and what of it they approve: plans, items and window."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from watchkeeper.domains import approvals
from watchkeeper.domains.access.telling import administrators
from watchkeeper.domains.changes import assessing, rules
from watchkeeper.domains.changes.models import ApprovalRule, Change
from watchkeeper.domains.identity.behind import behind
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.states import Transition, move

#: of what `fingerprint_of` is made
COLUMNS = frozenset(("type", "implementation", "test", "back_out", "job", "items", "starts_at", "ends_at", "automatic",
                     "exception"))  # fmt: skip


def fingerprint_of(change: Change) -> str:
    """What stands for the version that is approved."""
    exception = {"exception": change.exception} if change.exception.strip() else {}
    return approvals.fingerprint(
        {
            "type": change.type,
            "plans": [change.implementation, change.test, change.back_out, change.job],
            "items": sorted(str(k) for k in change.items.values_list("pk", flat=True)),
            "window": [change.starts_at, change.ends_at, change.automatic],
            **exception,
        }
    )


def steps_of(change: Change) -> list[approvals.Asked]:
    """By the rules for its risk; without one: its team, else the administrators."""
    found = (
        ApprovalRule.objects.filter(risk=change.risk)
        .prefetch_related("people", "teams")
        .order_by("position", "id")
    )
    steps = [
        approvals.Asked(
            r.name, list(r.people.all()),
            [*r.teams.all(), *([change.team] if r.peers and change.team else [])], r.quorum, r.hours,
        )
        for r in found
    ]  # fmt: skip
    if steps:
        return steps
    if change.team is not None:
        return [approvals.Asked("Peer", teams=[change.team], hours=24)]
    return [approvals.Asked("Administrator", administrators(), hours=24)]


def ask(actor: Actor, change: Change, altered_by: Collection[User] = ()) -> None:
    """Ask for it as it is; anew, it is still asked by who did so before, and not of those who have altered it. Raises
    Refused when nobody could approve it."""
    before = approvals.latest(change)
    requester = behind(actor) or (before.requester if before else None) or change.owner
    approvals.ask(
        actor, change, steps_of(change), fingerprint_of(change), str(change), text=text_of(change), requester=requester,
        altered_by=altered_by,
    )  # fmt: skip


def text_of(change: Change) -> str:
    """What those who approve need to know, in Markdown."""
    window = (
        f"{change.starts_at:%Y-%m-%d %H:%M} to {change.ends_at:%Y-%m-%d %H:%M} UTC"
        if change.starts_at and change.ends_at
        else "not set"
    )
    names = ", ".join(change.items.order_by("name").values_list("name", flat=True)[:20]) or "none named"
    parts = [
        f"**{change.get_type_display().capitalize()} change**, risk {change.risk}. Window: {window}. Items: {names}.",
        change.reason,
        "\n".join(f"- {w}" for w in change.because),
    ]
    plans = (("Why also in a freeze", change.exception), ("Implementation", change.implementation),
             ("Test", change.test), ("Back-out", change.back_out))  # fmt: skip
    parts += [f"### {title}\n\n{text}" for title, text in plans if text]
    return "\n\n".join(p for p in parts if p)


def still_holds(change: Change) -> bool:
    """Whether it is approved as it is now; a standard one is in advance as long as it is its model's."""
    if change.standard and standard_as_described(change):
        return True
    return approvals.state_of(change, fingerprint_of(change)) == approvals.Standing.APPROVED


def standard_as_described(change: Change) -> bool:
    """Whether a standard change is done in the way that was approved in advance."""
    model = change.model
    names = ("implementation", "test", "back_out", "job")
    return model is not None and model.enabled and all(getattr(change, n) == getattr(model, n) for n in names)


def measured(_: Actor, change: Change, __: dict[str, Any]) -> None:
    """What follows from a move after which its risk is found out anew."""
    assessing.measure(change)


ANEW = Transition(
    "ask-anew", "", (rules.WAITING, rules.APPROVED, rules.SCHEDULED), rules.WAITING, then=measured
)
TO_DRAFT = Transition("decline", "", (rules.WAITING,), rules.DRAFT)


def again(change: Any, altered_by: Collection[User]) -> None:
    """It has changed since it was asked for or approved: it waits again, for others than those who have altered it."""
    if change.status not in ANEW.origins:
        return
    with transaction.atomic():
        change = move("status", ANEW, SYSTEM, change)
        try:
            ask(SYSTEM, change, altered_by)
        except Refused:
            move("status", TO_DRAFT, SYSTEM, change)
