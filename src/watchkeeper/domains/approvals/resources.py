"""Approval requests, votes and delegations, declared."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from watchkeeper.domains.access.models import Team
from watchkeeper.domains.annotations.attaching import held_by
from watchkeeper.domains.approvals import asking, delegating
from watchkeeper.domains.approvals.binding import bound, fingerprint_of
from watchkeeper.domains.approvals.models import ApprovalRequest, Delegation, Vote
from watchkeeper.domains.approvals.rules import Asked
from watchkeeper.domains.approvals.voting import ANSWERS
from watchkeeper.domains.identity.naming import People, Person
from watchkeeper.kernel import hanging
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import visible, within
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer, Reference

_ASKED = ("people", "teams", "quorum", "hours")


class ApprovalRequestSerializer(RecordSerializer):
    """One step can be asked for here; what domains ask for by their own rules may have several."""

    people = People(
        write_only=True, required=False, help_text="user names of those who are asked, one a line"
    )
    teams = serializers.ManyRelatedField(
        child_relation=Reference(queryset=Team.objects.all()), write_only=True, required=False
    )
    quorum = serializers.IntegerField(
        write_only=True, min_value=0, max_value=100, default=1, label="How many have to approve",
        help_text="0: all of them",
    )  # fmt: skip
    hours = serializers.IntegerField(
        write_only=True, min_value=1, max_value=8760, required=False, allow_null=True, label="Within hours",
        help_text="after them they are reminded, and after as long again the owners of the teams are asked",
    )  # fmt: skip

    class Meta:
        model = ApprovalRequest
        fields = (
            "id",
            "kind",
            "record",
            "subject",
            "text",
            *_ASKED,
            "state",
            "requested_by",
            "asked_at",
            "decided_at",
        )
        read_only_fields = ("id", "state", "requested_by", "asked_at", "decided_at")


def _ask(actor: Actor, data: dict[str, Any]) -> ApprovalRequest:
    kind, key = held_by(actor, data["kind"], data["record"])
    resource, record = hanging.subject(kind, key)
    if kind in bound:
        raise Refused(f"who approves a {resource.name} is said by rules: it asks them itself")
    step = Asked(
        "Approval", data.get("people", ()), data.get("teams", ()), data.get("quorum", 1), data.get("hours")
    )
    return asking.ask(
        actor, record, [step], fingerprint_of(resource, record), data["subject"], text=data.get("text", "")
    )


def _can_withdraw(request: ApprovalRequest) -> bool:
    """What a kind asks for by its own rules ends with what its records themselves do."""
    return request.state == ApprovalRequest.State.WAITING and request.kind not in bound


def _withdraw(actor: Actor, request: ApprovalRequest, _: dict[str, Any]) -> Done:
    asking.end(actor, request, ApprovalRequest.State.WITHDRAWN)
    return Done()


class VoteSerializer(RecordSerializer):
    """With what is asked about."""

    approver = Person(read_only=True)
    delegate = Person(read_only=True)
    subject = serializers.CharField(source="step.request.subject", read_only=True)
    text = serializers.CharField(source="step.request.text", read_only=True)
    about_kind = serializers.CharField(source="step.request.kind", read_only=True)
    about = serializers.CharField(source="step.request.record", read_only=True)
    step = serializers.CharField(source="step.name", read_only=True)
    requested_by = serializers.CharField(source="step.request.requested_by", read_only=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Vote
        fields = ("id", "subject", "text", "about_kind", "about", "step", "requested_by", "approver", "delegate",
                  "answer", "note", "answered_by", "asked_at", "due_at", "decided_at")  # fmt: skip
        read_only_fields = fields


def _votes_seen(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """One's own, and those about records that one may read."""
    readable = visible(actor, "approval-requests", ApprovalRequest.objects.order_by())
    mine = delegating.answerable(actor.person) if actor.person is not None else Q(pk__in=())
    return found.filter(mine | Q(step__request__in=readable.values("pk")))


class DelegationSerializer(RecordSerializer):
    """Whoever names nobody delegates for themselves."""

    person = Person(required=False, help_text="whose approvals; empty: yours")
    delegate = Person(label="Answers for them")

    class Meta:
        model = Delegation
        fields = ("id", "person", "delegate", "begins_at", "ends_at", "reason")
        read_only_fields = ("id",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        self.in_order(attrs)
        person, delegate = self.now(attrs, "person"), self.now(attrs, "delegate")
        actor = self.context.get("actor")
        if delegate is not None and delegate == (person or getattr(actor, "person", None)):
            raise serializers.ValidationError({"delegate": ["somebody else has to answer"]})
        return attrs


def _delegate(actor: Actor, data: dict[str, Any]) -> Delegation:
    person = data.pop("person", None) or actor.person
    if person is None:
        raise serializers.ValidationError({"person": ["whose approvals?"]})
    made = Delegation(person=person, **data)
    made.save()
    delegating.plan(made)
    return made


def _change(_: Actor, delegation: Delegation, data: dict[str, Any]) -> Delegation:
    for name, value in data.items():
        setattr(delegation, name, value)
    delegation.save()
    delegating.plan(delegation)
    return delegation


def _remove(_: Actor, delegation: Delegation) -> None:
    person = delegation.person_id
    delegation.delete()
    delegating.follow(person)


registry.add(
    Resource(
        model=ApprovalRequest,
        path="approval-requests",
        name="approval request",
        description="What waits for people to approve it, and how it was decided. Read by whoever may read the record.",
        fields=ApprovalRequestSerializer.Meta.fields,
        columns=(
            Column("subject", link=True),
            Column("state", show=Show.STATE),
            Column("requested_by", "Asked by"),
            Column("asked_at", "Asked", Show.TIME),
            Column("decided_at", "Decided", Show.TIME),
        ),
        filters={
            "kind": ["exact"],
            "record": ["exact"],
            "state": ["exact", "in"],
            "requested_by": ["exact"],
            "asked_at": ["gte", "lt"],
        },
        search=("subject", "text"),
        ordering=("-id",),
        orderable=("asked_at", "decided_at"),
        create_only=("kind", "record", "subject", "text", *_ASKED),
        allow=frozenset({"create"}),
        serializer=ApprovalRequestSerializer,
        create=_ask,
        related={"votes": lambda request: Vote.objects.filter(step__request=request)},
        actions=(
            Action("withdraw", "Withdraw", _withdraw, offered=_can_withdraw, audited=False,
                   confirm="Nobody has to answer it then."),
        ),
    )
)  # fmt: skip
registry.add(
    Resource(
        model=Vote,
        path="votes",
        name="vote",
        description="Who is asked to approve what, and what they answered.",
        fields=VoteSerializer.Meta.fields,
        columns=(
            Column("__str__", "About", link=True),
            Column("step__request__requested_by", "Asked by"),
            Column("approver"),
            Column("delegate", "Answers for them"),
            Column("answer", show=Show.STATE),
            Column("due_at", "Due", Show.TIME),
        ),
        filters={
            "answer": ["exact", "in"],
            "approver__username": ["exact"],
            "delegate__username": ["exact"],
            "step__request": ["exact"],
            "asked_at": ["gte", "lt"],
        },
        search=("step__request__subject", "note"),
        ordering=("-id",),
        orderable=("asked_at", "decided_at"),
        serializer=VoteSerializer,
        prepare=lambda found: found.select_related("approver", "delegate", "step__request"),
        policy_attributes=("approver__username", "delegate__username", "answer"),
        actions=ANSWERS,
    )
)
within["votes"] = _votes_seen
registry.add(
    Resource(
        model=Delegation,
        path="delegations",
        name="delegation",
        description="Who answers approvals for whom, and when.",
        fields=DelegationSerializer.Meta.fields,
        columns=(
            Column("__str__", "Delegation", link=True),
            Column("person", "For"),
            Column("delegate", "Answers"),
            Column("begins_at", "From", Show.TIME),
            Column("ends_at", "Until", Show.TIME),
            Column("reason"),
        ),
        filters={
            "reason": ["exact", "icontains"],
            "person__username": ["exact"],
            "delegate__username": ["exact"],
            "begins_at": ["gte", "lte"],
            "ends_at": ["gte", "lte"],
        },
        search=("person__username", "delegate__username", "reason"),
        ordering=("-begins_at", "-id"),
        orderable=("ends_at",),
        writable=("person", "delegate", "begins_at", "ends_at", "reason"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=DelegationSerializer,
        prepare=lambda found: found.select_related("person", "delegate"),
        create=_delegate,
        change=_change,
        remove=_remove,
        write_scope=Scope.ADMIN,  # the built-in policy lets everybody say it for themselves
        policy_attributes=("person__username", "delegate__username"),
    )
)
