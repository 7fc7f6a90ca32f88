"""Access requests: a person asks for a role, those who answer for it agree or not, and the grant follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access.granting import ScopedSerializer, checked_scope, give
from watchkeeper.domains.access.models import (
    AccessRequest,
    Answer,
    Approval,
    Approvers,
    Grant,
    RequestState,
    Team,
)
from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.domains.access.telling import administrators, tell
from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.kernel.acting import SYSTEM, Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Forbidden, Invalid, Refused
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.states import Transition, machine, move

_SCOPE = ("in_organisation", "in_team", "attribute", "values")


class AccessRequestSerializer(ScopedSerializer):
    """Whoever asks without naming a user asks for themselves."""

    class Meta:
        model = AccessRequest
        extra_kwargs = {"user": {"required": False, "help_text": "empty: yourself"},
                        "role": {"required": False, "help_text": "empty when a grant is extended"}}  # fmt: skip
        fields = ("id", "user", "user_name", "role", "role_name", "in_organisation", "in_organisation_name",
                  "in_team", "in_team_name", "attribute", "values", "reason", "days", "extends", "state", "needed",
                  "note", "grant", "asked_at", "decided_at")  # fmt: skip
        read_only_fields = ("id", "state", "needed", "note", "grant", "asked_at", "decided_at")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        extended = data.get("extends")
        if extended is not None:
            data["role"] = extended.role
            data.update({name: getattr(extended, name) for name in _SCOPE})
        elif not data.get("role"):
            raise serializers.ValidationError({"role": "which role?"})
        checked_scope(data)
        role, days = data["role"], data.get("days")
        if role.longest_days and (days is None or days > role.longest_days):
            raise serializers.ValidationError(
                {"days": f"{role} is granted for at most {role.longest_days} days"}
            )
        return data


def ask(actor: Actor, data: dict[str, Any]) -> AccessRequest:
    """A new request; those who may approve it are asked. Raises Invalid, or Refused when it could never be granted."""
    person = data.setdefault("user", actor.person)
    if person is None:
        raise Invalid("for whom?", "user")
    role, extended = data["role"], data.get("extends")
    made = AccessRequest(**data, needed=max(1, role.approvals_needed))
    require(actor, "create", registry["access-requests"], made)  # before a refusal tells what others have
    if person.kind != AccountKind.PERSON or not person.is_active:
        raise Refused(f"{person} is no active person")
    if not role.requestable:
        raise Refused(f"{role} cannot be asked for; an administrator grants it")
    if extended is not None and extended.user_id != person.pk:
        raise Refused(f"the grant to extend is not one of {person}'s own")
    if extended is None and any(g.scope_key == made.scope_key for g in _living(person, role)):
        raise Refused(f"{person} has the role {role}{made.where} already; ask to extend the grant")
    waiting = AccessRequest.objects.filter(user=person, role=role, state=RequestState.REQUESTED)
    if any(r.scope_key == made.scope_key for r in waiting):
        raise Refused(f"{person} has asked for it already, and the answer is open")
    with transaction.atomic():  # would it be kept apart from what they have?
        _grant_for(made, "a trial")
        transaction.set_rollback(True)
    if len(approvers_of(made)) < made.needed:
        raise Refused(f"it needs the approval of {made.needed}, and there are not as many who could give it")
    made.save()
    ask_approvers(made)
    return made


def _living(person: User, role: Any) -> Iterable[Grant]:
    return Grant.objects.in_force(timezone.now()).filter(user=person, role=role)


def approvers_of(request: AccessRequest) -> set[User]:
    """Who may approve it: by the role's rule, and administrators where that names too few. Never whom it is for. Only
    administrators make administrators."""
    role, found = request.role, set[User]()
    rule = () if role.name == ADMINISTRATOR else role.approvers
    if Approvers.ROLE_OWNERS in rule:
        found |= set(role.owners.all())
    if Approvers.SCOPE_OWNERS in rule:
        for scope in (request.in_organisation, request.in_team):
            found |= set(scope.owners.all()) if scope is not None else set()
    if Approvers.TEAM_OWNERS in rule:
        found |= set(User.objects.filter(owned_teams__in=Team.objects.filter(members=request.user)))
    found = {p for p in found if p.is_active and p.kind == AccountKind.PERSON and p.pk != request.user_id}
    if len(found) < request.needed:
        found |= {a for a in administrators() if a.pk != request.user_id}
    return found


def ask_approvers(request: AccessRequest) -> None:
    """Ask whoever may approve it and was not asked yet."""
    asked = set(request.approvals.values_list("approver", flat=True))
    new = [p for p in approvers_of(request) if p.pk not in asked]
    Approval.objects.bulk_create(Approval(request=request, approver=p) for p in new)
    days = f"for {request.days} days" if request.days else "until it is taken back"
    text = (
        f"{request.user.called} asks for the role {request.role}{request.where}, {days}:\n\n{request.reason}"
    )
    tell(f"request:{request.pk}:asked", new, f"{request.user.called} asks for {request.role}", text)


def _grant_for(request: AccessRequest, approved_by: str) -> Grant:
    begins = now = timezone.now()
    if request.extends is not None and request.extends.expires_at is not None:
        begins = max(now, request.extends.expires_at)
    ends = begins + dt.timedelta(days=request.days) if request.days else None
    scope = {name: getattr(request, name) for name in _SCOPE}
    return give({"role": request.role, "user": request.user, **scope, "reason": request.reason,
                 "valid_from": begins, "expires_at": ends}, approved_by)  # fmt: skip


def _granted(_: Actor, request: AccessRequest, __: dict[str, Any]) -> None:
    approved = request.approvals.filter(answer=Answer.APPROVED).select_related("approver")
    request.grant = _grant_for(request, ", ".join(sorted(a.approver.username for a in approved)))
    request.note = ""
    until = f" until {request.grant.expires_at:%d %B %Y}" if request.grant.expires_at else ""
    tell(f"request:{request.pk}:granted", [request.user], f"You have the role {request.role}",
         f"You were granted the role {request.role}{request.where}{until}.")  # fmt: skip


def _closed(_: Actor, request: AccessRequest, data: dict[str, Any]) -> None:
    request.decided_at, request.note = timezone.now(), data.get("note", "")[:500]
    request.approvals.filter(answer=Answer.OPEN).update(answer=Answer.NOT_NEEDED)


def _refused(actor: Actor, request: AccessRequest, data: dict[str, Any]) -> None:
    _closed(actor, request, data)
    tell(f"request:{request.pk}:refused", [request.user], f"{request.role}: refused",
         f"{actor.name} refused your request for the role {request.role}{request.where}:\n\n{request.note}")  # fmt: skip


_GRANT = Transition("grant", "Grant it now", ("approved",), "granted", scope=Scope.ADMIN, then=_granted)
_WITHDRAW = Transition("withdraw", "Withdraw", ("requested", "approved"), "withdrawn", scope=Scope.ADMIN,
                       confirm="Nobody has to answer it then.", then=_closed)  # fmt: skip
_APPROVE = Transition("approve", "", ("requested",), "approved", then=_closed)
_REFUSE = Transition("refuse", "", ("requested",), "refused", then=_refused)
_END = Transition("end", "", ("granted",), "ended")


def _may_answer(actor: Actor, approval: Approval) -> None:
    if actor.person is None or actor.person.pk != approval.approver_id:
        raise Forbidden(
            "approve", "approvals", (f"{approval.approver} was asked, and nobody else can answer.",)
        )
    # Locked, so that of two who agree at one moment the second sees that it is enough.
    approval.request = AccessRequest.objects.select_for_update().get(pk=approval.request_id)
    if approval.request.state != RequestState.REQUESTED:
        raise Refused(f"the request is {approval.request.state} meanwhile")
    approval.decided_at = timezone.now()


def _agree(actor: Actor, approval: Approval, data: dict[str, Any]) -> None:
    _may_answer(actor, approval)
    approval.note = data.get("note", "")
    request = approval.request
    approval.answer = Answer.APPROVED
    approval.save()
    if request.approvals.filter(answer=Answer.APPROVED).count() < request.needed:
        return
    request = move("state", _APPROVE, actor, request)
    try:
        with transaction.atomic():
            move("state", _GRANT, actor, request)
    except Refused as error:  # something has changed since it was asked for: it waits for an administrator
        AccessRequest.objects.filter(pk=request.pk).update(note=error.detail[:500])


def _disagree(actor: Actor, approval: Approval, data: dict[str, Any]) -> None:
    _may_answer(actor, approval)
    approval.note = data["note"]
    approval.answer = Answer.REFUSED
    approval.save()
    move("state", _REFUSE, actor, approval.request, data)


class WithNoteSerializer(serializers.Serializer[Any]):
    """A note that may be left out."""

    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class WithReasonSerializer(serializers.Serializer[Any]):
    """A note that has to be there."""

    note = serializers.CharField(max_length=500, label="Why")


def keep(now: dt.datetime) -> None:
    """What time does to requests: those whose grant has ended are over; whoever became an approver is asked."""
    for request in AccessRequest.objects.filter(state=RequestState.GRANTED, grant__expires_at__lte=now):
        move("state", _END, SYSTEM, request)
    for request in AccessRequest.objects.filter(state=RequestState.REQUESTED).select_related("role", "user"):
        with transaction.atomic():
            ask_approvers(request)


plain(
    AccessRequest, "access request", "access-requests",
    "role user:For where:Only reason state asked_at",
    fields=AccessRequestSerializer.Meta.fields,
    serializer=AccessRequestSerializer,
    filters={"state": ["exact", "in"], "user": ["exact"], "role": ["exact"], "asked_at": ["gte", "lt"]},
    search=("user__username", "role__name", "reason"),
    ordering=("-id",),
    orderable=("asked_at", "decided_at"),
    writable=(),
    create_only=("user", "role", *_SCOPE, "reason", "days", "extends"),
    allow=frozenset({"create"}),
    create=ask,
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    policy_attributes=("user__username", "role__name", "state"),
    actions=machine("state", _WITHDRAW, _GRANT),
    related={"approvals": lambda request: request.approvals.all()},
)  # fmt: skip

plain(
    Approval, "approval", "approvals",
    "request request__user:For request__reason:Why approver answer note",
    fields=("id", "request", "approver", "answer", "note", "decided_at"),
    filters={"answer": ["exact"], "approver": ["exact"], "request": ["exact"]},
    search=("request__user__username", "request__role__name"),
    ordering=("-id",),
    orderable=("decided_at",),
    writable=(),
    allow=frozenset(),
    prepare=lambda found: found.select_related(
        "approver", "request__user", "request__role", "request__in_organisation", "request__in_team"
    ),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    policy_attributes=("approver__username", "answer"),
    actions=machine(
        "answer",
        Transition("approve", "Approve", ("open",), "approved", scope=Scope.ADMIN, fields=WithNoteSerializer, then=_agree),
        Transition("refuse", "Refuse", ("open",), "refused", scope=Scope.ADMIN, fields=WithReasonSerializer, then=_disagree),
    ),
)  # fmt: skip
