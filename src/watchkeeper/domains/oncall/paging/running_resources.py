"""Escalations, pages and how these went, declared: to be read, acknowledged and stopped; people are also paged by hand."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.identity.naming import People, Person
from watchkeeper.domains.oncall.paging import answering, ending
from watchkeeper.domains.oncall.paging.models import BY_HAND, Escalation, Page, PageDelivery, Urgency
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import as_records, subject
from watchkeeper.kernel.permissions import visible, within
from watchkeeper.kernel.problems import Forbidden, NotThere
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer
from watchkeeper.model.verdicts import Severity

KINDS = ("situations", "tickets")
State = Escalation.State


class PageSerializer(RecordSerializer):
    """People by user name."""

    person = Person(read_only=True)

    class Meta:
        model = Page
        fields = ("id", "escalation", "person", "round", "position", "state", "at", "sent_at", "answered_at", "via",
                  "because")  # fmt: skip
        read_only_fields = fields


class EscalationSerializer(RecordSerializer):
    """Made by hand it says whom to page about which record; the rest follows."""

    kind = Choice(choices=KINDS, default="situations", label="About a record of the kind")
    record = serializers.CharField(
        max_length=128,
        label="Its id",
        help_text="simpler: Page somebody… on the page of the situation or ticket",
    )
    people = People(source="asked", required=False, max_length=50, help_text="user names, one a line")
    urgency = Choice(choices=Urgency.choices, default=Urgency.HIGH.value)

    class Meta:
        model = Escalation
        fields = (
            "id",
            "kind",
            "record",
            "title",
            "people",
            "policy",
            "urgency",
            "message",
            "severity",
            "state",
            "note",
            "round",
            "position",
            "began_at",
            "due_at",
            "ended_at",
            "ended_by",
        )
        read_only_fields = (
            "id", "title", "severity", "state", "note", "round", "position", "began_at", "due_at", "ended_at", "ended_by",
        )  # fmt: skip
        extra_kwargs = {
            "policy": {"help_text": "or everybody whom this policy names, step by step"},
            "message": {"help_text": "what they should know at once"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """People or a policy, and a record that is there. Raises ValidationError."""
        if bool(attrs.get("asked")) == (attrs.get("policy") is not None):
            raise serializers.ValidationError({"people": ["Name people or a policy: one of the two."]})
        actor = self.context.get("actor")
        try:
            kind, record = subject(attrs["kind"], attrs["record"])
        except NotThere as error:
            raise serializers.ValidationError({"record": [error.detail]}) from error
        if actor is not None and not visible(actor, kind).filter(pk=record.pk).exists():
            raise serializers.ValidationError({"record": ["There is no such record."]})
        attrs["title"] = kind.title(record)[:500]
        attrs["severity"] = getattr(record, "severity", Severity.ERROR)
        return attrs


def _page(actor: Actor, data: dict[str, Any]) -> Escalation:
    now = timezone.now()
    asked = [user.username for user in data.pop("asked", [])]
    kind, record = subject(data["kind"], data["record"])
    if not visible(actor, kind).filter(pk=record.pk).exists():
        raise Forbidden("create", "escalations", ("The record is not yours to see.",))
    return Escalation.objects.create(
        **data, asked=asked, cause=f"{BY_HAND}{uuid.uuid4().hex}", began_at=now, due_at=now,
        note=f"By {actor.name}."[:300],
    )  # fmt: skip


def _stop(actor: Actor, escalation: Escalation, _: dict[str, Any]) -> Done:
    found = Escalation.objects.filter(pk=escalation.pk)
    ending.end(found, State.STOPPED, actor.name, timezone.now(), f"Stopped by {actor.name}.")
    escalation.refresh_from_db()
    return Done()


def _acknowledge_all(actor: Actor, escalation: Escalation, _: dict[str, Any]) -> Done:
    ending.end(Escalation.objects.filter(pk=escalation.pk), State.ACKNOWLEDGED, actor.name, timezone.now())
    answering.acknowledge_subject(actor, escalation)
    escalation.refresh_from_db()
    return Done()


def _acknowledge(actor: Actor, page: Page, _: dict[str, Any]) -> Done:
    answering.acknowledge(actor, page, "the platform")
    return Done()


# What they do to the situation goes through the journal.
_acknowledge.journaled = _acknowledge_all.journaled = True  # type: ignore[attr-defined]


def _runs(escalation: Escalation) -> bool:
    return escalation.state == State.RUNNING


def _waits(escalation: Escalation) -> bool:
    return ending.waits(escalation, timezone.now())


def _of_readable(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """An escalation says what its record is called."""
    return found.filter(_readable(actor, ""))


def _pages_of_readable(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    own = Q(person=actor.person) if actor.person is not None else Q(pk__in=())
    return found.filter(_readable(actor, "escalation__") | own)


def _deliveries_of_readable(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    own = Q(page__person=actor.person) if actor.person is not None else Q(pk__in=())
    return found.filter(_readable(actor, "page__escalation__") | own)


def _readable(actor: Actor, prefix: str) -> Q:
    allowed = Q(pk__in=())
    for path in KINDS:
        kind = registry[path]
        everything = kind.model._default_manager.all()
        seen = visible(actor, kind, everything)
        named = {f"{prefix}kind": path}
        if seen is not everything:
            named[f"{prefix}record__in"] = as_records(seen)
        allowed |= Q(**named)
    return allowed


within["escalations"] = _of_readable
within["pages"] = _pages_of_readable
within["page-deliveries"] = _deliveries_of_readable

registry.add(
    Resource(
        model=Escalation,
        path="escalations",
        name="escalation",
        description="Who is being paged about what, until somebody acknowledges.",
        fields=EscalationSerializer.Meta.fields,
        columns=(
            Column("severity", show=Show.SEVERITY),
            Column("title", link=True),
            Column("state", show=Show.STATE),
            Column("policy"),
            Column("due_at", "Goes on", Show.TIME),
            Column("ended_by", "By"),
            Column("began_at", "Began", Show.TIME),
        ),
        filters={
            "state": ["exact", "in"],
            "kind": ["exact"],
            "record": ["exact"],
            "severity": ["exact", "gte", "in"],
            "urgency": ["exact"],
            "policy": ["exact", "isnull"],
            "ended_by": ["exact"],
            "began_at": ["gte", "lte"],
            "due_at": ["lte", "gte", "isnull"],
        },
        search=("title", "message"),
        ordering=("-began_at", "-id"),
        orderable=("severity", "due_at", "ended_at"),
        create_only=("kind", "record", "people", "policy", "urgency", "message"),
        allow=frozenset({"create"}),
        serializer=EscalationSerializer,
        prepare=lambda found: found.select_related("policy"),
        create=_page,
        policy_attributes=("kind", "title", "severity"),
        actions=(
            Action("acknowledge", "Acknowledge", _acknowledge_all, offered=_waits),
            Action("stop", "Stop", _stop, offered=_runs, confirm="Nobody else is told of it."),
        ),
        related={"pages": lambda e: e.pages.all()},
        default_filters={"state__in": "running,acknowledged,unanswered"},
    )
)
registry.add(
    Resource(
        model=Page,
        path="pages",
        name="page",
        description="Who was told of which escalation, at which step, and how far it has come.",
        fields=PageSerializer.Meta.fields,
        columns=(
            Column("person", "Who", link=True),
            Column("escalation", "Of what"),
            Column("state", show=Show.STATE),
            Column("at", "Paged", Show.TIME),
            Column("sent_at", "Sent", Show.TIME),
            Column("answered_at", "Acknowledged", Show.TIME),
        ),
        filters={
            "state": ["exact", "in"],
            "person__username": ["exact"],
            "escalation": ["exact"],
            "at": ["gte", "lte"],
        },
        search=("escalation__title", "person__username"),
        ordering=("-at", "-id"),
        orderable=("state", "sent_at", "answered_at"),
        serializer=PageSerializer,
        prepare=lambda found: found.select_related("escalation__policy", "person"),
        policy_attributes=("person__username",),
        actions=(
            Action(
                "acknowledge",
                "Acknowledge",
                _acknowledge,
                offered=lambda p: _waits(p.escalation),
                audited=False,
            ),
        ),
        related={"page-deliveries": lambda p: p.deliveries.all()},
    )
)  # fmt: skip
registry.add(
    Resource(
        model=PageDelivery,
        path="page-deliveries",
        name="page delivery",
        description="By what somebody was told of a page, when, and what came back.",
        fields=("id", "page", "channel", "due_at", "held", "state", "at", "answer"),
        columns=(
            Column("channel", "By", Show.STATE, link=True),
            Column("state", show=Show.STATE),
            Column("due_at", "Due", Show.TIME),
            Column("held", "Held by quiet hours", Show.YES),
            Column("at", "Sent", Show.TIME),
            Column("answer"),
        ),
        filters={
            "page": ["exact"],
            "state": ["exact", "in"],
            "channel": ["exact", "in"],
            "at": ["gte", "lte"],
        },
        search=("answer", "channel"),
        ordering=("-due_at", "-id"),
        orderable=("state", "at"),
        prepare=lambda found: found.select_related("page__escalation", "page__person"),
        policy_attributes=("page__person__username",),
    )
)
