"""Hears when a record changes that waits for approval or has it: then it no longer holds and is asked anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from watchkeeper.domains.approvals import asking
from watchkeeper.domains.approvals.binding import bound, fingerprint_of
from watchkeeper.domains.approvals.models import ApprovalRequest
from watchkeeper.domains.approvals.rules import Asked
from watchkeeper.domains.identity.behind import noted
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import hanging
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import NotThere, Refused
from watchkeeper.kernel.resource import Resource

_LIVING = (ApprovalRequest.State.WAITING, ApprovalRequest.State.APPROVED)


class Changes:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Kinds of which a record waits for approval or has it."""
        return set(
            ApprovalRequest.objects.filter(kind__in=kinds, state__in=_LIVING).values_list("kind", flat=True)
        )

    def hear(self, events: Sequence[Event]) -> str:
        """Compare each record that was changed with what was approved."""
        said = (self._about(event) for event in events if event.act in ("change", "remove"))
        return "; ".join(filter(None, said))

    @transaction.atomic
    def _about(self, event: Event) -> str:
        found = ApprovalRequest.objects.filter(kind=event.kind, record=event.key, state__in=_LIVING)
        request = found.order_by("-id").first()
        if request is None:
            return ""
        try:
            resource, record = hanging.subject(event.kind, event.key)
        except NotThere:
            asking.end(SYSTEM, request, ApprovalRequest.State.WITHDRAWN)
            return f"nobody need approve {event.name} any more"
        if fingerprint_of(resource, record) == request.fingerprint:
            return ""
        altered_by = _altered_by(event, resource, request)
        asking.end(SYSTEM, request, ApprovalRequest.State.OUTDATED)
        _again(resource, record, request, altered_by)
        return f"{event.name} has changed, and is to be approved anew"


def _altered_by(event: Event, resource: Resource, request: ApprovalRequest) -> set[User]:
    """Who has altered what is to be approved: since it was asked for, and before, what nobody has approved yet. Others than
    whose change is heard of may have, before it was heard of."""
    there = bound.get(resource.path)
    columns = there.columns if there is not None else frozenset()
    entries = AuditEntry.objects.filter(
        kind=str(resource.model._meta.verbose_name), record=event.key, act__endswith=".change",
        at__gte=request.asked_at,
    )  # fmt: skip
    acts = [(e.actor_kind, e.actor_id, e.before) for e in entries]
    acts.append((event.actor.kind, event.actor.id, event.before))
    of = {(kind, key) for kind, key, before in acts if not columns or columns & (before or {}).keys()}
    found = {noted(kind, key) for kind, key in of}
    if request.state == ApprovalRequest.State.WAITING:
        found |= set(request.altered_by.all())
    return {person for person in found if person is not None}


def _again(resource: Resource, record: Any, request: ApprovalRequest, altered_by: Collection[User]) -> None:
    there = bound.get(resource.path)
    if there is not None and there.again is not None:
        there.again(record, altered_by)
        return
    try:
        asking.ask(
            SYSTEM, record, steps_of(request), fingerprint_of(resource, record), request.subject,
            text=request.text, own=request.own, requester=request.requester, altered_by=altered_by,
        )  # fmt: skip
    except Refused:
        return  # nobody is left who could; its page says that the approval no longer holds


def steps_of(request: ApprovalRequest) -> list[Asked]:
    """The steps of a request, to ask them again."""
    return [
        Asked(
            s.name, list(s.people.all()), list(s.teams.all()), s.quorum, s.hours,
            list(s.then_people.all()), list(s.then_teams.all()),
        )
        for s in request.steps.order_by("position")
    ]  # fmt: skip
