"""Who answers for whom: a delegation holds from its beginning to its end, for what is asked meanwhile and what is open."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.approvals import telling
from watchkeeper.domains.approvals.models import Answer, Delegation, Vote
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import outbox

KIND = "delegation"  # the kind of effect that follows a delegation's beginning and end


def delegate_of(vote: Vote, now: dt.datetime) -> User | None:
    """Who answers now for whoever is asked: nobody who has a say in the same step anyway, since each of its answers is that
    of another person."""
    others = vote.step.votes.exclude(pk=vote.pk).values_list("approver", "delegate")
    busy = {key for pair in others for key in pair if key is not None}
    held = Delegation.objects.filter(
        person=vote.approver_id, begins_at__lte=now, ends_at__gt=now, delegate__is_active=True
    )
    found = held.exclude(delegate__in=busy).select_related("delegate").first()
    return found.delegate if found else None


def follow(*people: Any) -> int:
    """Give the open votes of these people to whoever answers for them now, and tell those who had not been told. Returns
    how many have another delegate."""
    now, changed = timezone.now(), 0
    open_votes = Vote.objects.filter(approver__in=people, answer=Answer.OPEN)
    for vote in open_votes.select_related("approver", "delegate", "step__request"):
        delegate = delegate_of(vote, now)
        if delegate != vote.delegate:
            vote.delegate = delegate
            vote.save(update_fields=["delegate"])
            changed += 1
            if delegate is not None:
                telling.asked(vote)
    return changed


def plan(delegation: Delegation) -> None:
    """Follow it at once, and when it begins and ends."""
    follow(delegation.person_id)
    for at in (delegation.begins_at, delegation.ends_at):
        if at > timezone.now():
            effect = f"{KIND}:{delegation.pk}:{at:%Y%m%dT%H%M%S%f}"
            outbox.add(
                [outbox.Effect(effect, KIND, str(delegation)[:200], {"person": delegation.person_id}, at)]
            )


def answerable(user: User) -> Q:
    """Votes that this person may give: their own, and those of whom they answer for."""
    return Q(approver=user) | Q(delegate=user)
