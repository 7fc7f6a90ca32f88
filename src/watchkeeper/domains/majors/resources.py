"""Major incidents, their updates, status pages and their components, declared."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.majors import components, rules, updating
from watchkeeper.domains.majors.models import (
    ComponentSpell,
    MajorIncident,
    StatusComponent,
    StatusPage,
    StatusUpdate,
)
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer

_SET = ("title", "impact", "commander", "communications", "scribe", "bridge", "stakeholders", "every", "components",
        "component_state")  # fmt: skip
_TOLD = ("number", "state", "declared_at", "next_update_at", "resolved_at")


class MajorIncidentSerializer(RecordSerializer):
    """Its state follows from its updates."""

    commander = Person(required=False, allow_null=True, help_text="leads; empty: whoever declares it")
    communications = Person(
        required=False, allow_null=True, help_text="writes the updates, and is reminded of them"
    )
    scribe = Person(required=False, allow_null=True, help_text="keeps the timeline")
    stakeholders = serializers.ListField(
        child=serializers.EmailField(), default=list, max_length=200,
        label="Told by mail", help_text="addresses, one a line; each gets every update",
    )  # fmt: skip
    bridge = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default="", label="Where people meet",
        help_text="a number to call, or an address of a video call",
    )  # fmt: skip

    class Meta:
        model = MajorIncident
        fields = ("id", "number", "ticket", *_SET, *(t for t in _TOLD if t != "number"))
        read_only_fields = ("id", *_TOLD)
        extra_kwargs = {
            "impact": {"help_text": "in words of those who suffer from it; it goes into every mail"},
            "every": {"min_value": 5, "max_value": 1440},
            "components": {"help_text": "of status pages; they show it at once"},
        }

    def validate_ticket(self, ticket: Ticket) -> Ticket:
        """Raises ValidationError."""
        if ticket.type != Ticket.Type.INCIDENT:
            raise serializers.ValidationError("only an incident can be a major one")
        return ticket


class StatusUpdateSerializer(RecordSerializer):
    """Who and when are said by the platform."""

    class Meta:
        model = StatusUpdate
        fields = ("id", "major", "state", "text", "public", "author", "at")
        read_only_fields = ("id", "author", "at")
        extra_kwargs = {"public": {"help_text": "mails go out in any case"}}


class ComponentState(serializers.Serializer[Any]):
    """How a component is."""

    state = Choice(choices=list(rules.COMPONENT_STATES.items()))
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


def _declare(actor: Actor, data: dict[str, Any]) -> MajorIncident:
    affected = data.pop("components", [])
    major = MajorIncident(**data)
    major.commander = major.commander or actor.person
    major.save()
    major.components.set(affected)
    ticket = major.ticket
    if (ticket.impact, ticket.urgency) != (1, 1):
        ticket.impact = ticket.urgency = 1
        ticket.save()
    updating.say(major, rules.INVESTIGATING, "We are investigating.", actor.name)
    return major


def _change(_: Actor, major: MajorIncident, data: dict[str, Any]) -> MajorIncident:
    affected = data.pop("components", None)
    for name, value in data.items():
        setattr(major, name, value)
    major.save()
    touched = set(major.components.all())
    if affected is not None:
        major.components.set(affected)
        touched.update(affected)
    if major.state != rules.RESOLVED:
        components.settle(touched, str(major), timezone.now())
    return major


def _remove(_: Actor, major: MajorIncident) -> None:
    spoken_for = list(major.components.all()) if major.state != rules.RESOLVED else []
    said = str(major)
    major.delete()
    components.settle(spoken_for, said, timezone.now())


def _update(actor: Actor, data: dict[str, Any]) -> StatusUpdate:
    major = MajorIncident.objects.select_for_update().get(pk=data["major"].pk)
    return updating.say(major, data["state"], data["text"], actor.name, public=data.get("public", True))


def _set_state(_: Actor, component: StatusComponent, data: dict[str, Any]) -> Done:
    if component.majors.exclude(state=rules.RESOLVED).exists():
        raise Refused("a major incident speaks for it: change that, or write an update")
    components.become(component, data["state"], data["reason"], timezone.now())
    return Done()


registry.add(
    Resource(
        model=MajorIncident,
        path="major-incidents",
        name="major incident",
        description="Incidents that are led: who commands, who communicates, and what everybody was told.",
        fields=MajorIncidentSerializer.Meta.fields,
        columns=(
            Column("number", link=True),
            Column("title"),
            Column("state", show=Show.STATE),
            Column("commander"),
            Column("next_update_at", "Next update", Show.TIME),
            Column("declared_at", "Declared", Show.TIME),
        ),
        filters={
            "state": ["exact", "in"],
            "ticket": ["exact"],
            "components": ["exact"],
            "commander__username": ["exact"],
            "declared_at": ["gte", "lte"],
            "next_update_at": ["lte", "isnull"],
        },
        search=("number", "title", "impact"),
        ordering=("-id",),
        orderable=("number", "declared_at", "next_update_at", "state"),
        writable=_SET,
        create_only=("ticket",),
        allow=frozenset({"create", "change", "remove"}),
        serializer=MajorIncidentSerializer,
        prepare=lambda found: found.select_related(
            "ticket", "commander", "communications", "scribe"
        ).prefetch_related("components"),
        create=_declare,
        change=_change,
        remove=_remove,
        policy_attributes=("state", "ticket__queue__name"),
        related={"status-updates": lambda m: m.updates.all()},
    )
)
registry.add(
    Resource(
        model=StatusUpdate,
        path="status-updates",
        name="status update",
        description="What was told of major incidents, and how they stood then.",
        fields=StatusUpdateSerializer.Meta.fields,
        columns=(
            Column("at", "When", Show.TIME, link=True),
            Column("major", "Major incident"),
            Column("state", show=Show.STATE),
            Column("text"),
            Column("author", "By"),
            Column("public", "Public", Show.YES),
        ),
        filters={"major": ["exact"], "state": ["exact", "in"], "public": ["exact"], "at": ["gte", "lte"]},
        search=("text",),
        ordering=("-at", "-id"),
        writable=("state", "text", "public"),
        create_only=("major", "state", "text", "public"),
        allow=frozenset({"create"}),
        serializer=StatusUpdateSerializer,
        prepare=lambda found: found.select_related("major"),
        create=_update,
        policy_attributes=("state",),
    )
)  # fmt: skip
plain(
    StatusPage, "status page", "status-pages", "name slug:Address public:For_everybody",
    related={"status-components": lambda p: p.components.all()},
)  # fmt: skip
plain(
    StatusComponent, "status component", "status-components", "name page section state since_at:Since",
    ("state", "since_at"), ordering=("page__name", "section", "position", "id"), search=("name", "section"),
    related={"component-spells": lambda c: c.spells.all()},
    actions=(Action("set-state", "Say how it is…", _set_state, ComponentState),),
)  # fmt: skip
plain(
    ComponentSpell, "component spell", "component-spells", "component state begins_at:From ends_at:Until reason",
    allow=frozenset(), writable=(), ordering=("-begins_at", "-id"), search=("component__name", "reason"),
)  # fmt: skip
