"""Schedules, layers and overrides, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.identity.naming import People, Person
from watchkeeper.domains.oncall.models import READ, Layer, Override, Schedule, Turn
from watchkeeper.domains.oncall.paging import own_resources, resources, running_resources  # noqa: F401  (they declare)
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer, time_zone


class ScheduleSerializer(RecordSerializer):
    """`now` is who is on call now, `next_gap_at` when nobody will be, within a year."""

    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone],
                                 help_text="whose clocks hand over: Europe/Berlin")  # fmt: skip
    now = serializers.CharField(read_only=True)
    next_gap_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Schedule
        fields = ("id", "name", "zone", "team", "description", "now", "next_gap_at")
        read_only_fields = ("id",)


class LayerSerializer(RecordSerializer):
    """People are user names, in the order of their turns."""

    people = People(min_length=1, max_length=100, label="People, in turn", help_text="user names, one a line")
    days = serializers.IntegerField(min_value=1, max_value=366, default=7, label="Days a turn",
                                    help_text="7: a week each; 1: a day each")  # fmt: skip

    class Meta:
        model = Layer
        fields = (
            "id",
            "schedule",
            "position",
            "people",
            "days",
            "starts_on",
            "handover",
            "calendar",
            "ends_at",
        )
        read_only_fields = ("id",)
        extra_kwargs = {
            "position": {"min_value": 1, "max_value": 100, "help_text": "1 is the lowest; higher ones come first"},
            "handover": {"style": {"input": "clock"}, "help_text": "by the clocks of the schedule's time zone"},
            "calendar": {"help_text": "empty: day and night"},
            "ends_at": {"help_text": "empty: it goes on"},
        }  # fmt: skip


class OverrideSerializer(RecordSerializer):
    """Ends after it begins."""

    person = Person()

    class Meta:
        model = Override
        fields = ("id", "schedule", "person", "begins_at", "ends_at", "reason")
        read_only_fields = ("id",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        self.in_order(attrs)
        return attrs


def _add_layer(_: Actor, data: dict[str, Any]) -> Layer:
    people = data.pop("people")
    layer = Layer.objects.create(**data)
    _take_turns(layer, people)
    return layer


def _change_layer(_: Actor, layer: Layer, data: dict[str, Any]) -> Layer:
    people = data.pop("people", None)
    for name, value in data.items():
        setattr(layer, name, value)
    layer.save()
    if people is not None:
        layer.turns.all().delete()
        _take_turns(layer, people)
    return layer


def _take_turns(layer: Layer, people: list[User]) -> None:
    Turn.objects.bulk_create(Turn(layer=layer, person=p, position=n) for n, p in enumerate(people))


registry.add(
    Resource(
        model=Schedule,
        path="schedules",
        name="schedule",
        description="Who is on call at which time: layers of people who take turns, and overrides above them.",
        fields=ScheduleSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("now", "On call now"),
            Column("next_gap_at", "Nobody from", Show.TIME),
            Column("team"),
            Column("zone", "Time zone"),
        ),
        filters={"name": ["exact", "icontains"], "team": ["exact", "isnull"]},
        search=("name",),
        ordering=("name", "id"),
        writable=("name", "zone", "team", "description"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=ScheduleSerializer,
        policy_attributes=("name",),
        related={
            "schedule-layers": lambda s: s.layers.all(),
            "schedule-overrides": lambda s: s.overrides.all(),
        },
        prepare=lambda found: found.select_related("team").prefetch_related(*READ),
    )
)
plain(
    Layer, "layer", "schedule-layers",
    "schedule position:Layer people:In_turn days:Days_a_turn handover:Hands_over_at starts_on:First_turn "
    "calendar:Only_in_the_hours_of",
    fields=LayerSerializer.Meta.fields, writable=LayerSerializer.Meta.fields[1:],
    serializer=LayerSerializer, search=("schedule__name",), create=_add_layer, change=_change_layer,
    prepare=lambda found: found.select_related("schedule", "calendar").prefetch_related("turns__person"),
)  # fmt: skip
plain(
    Override, "override", "schedule-overrides", "schedule person begins_at ends_at reason",
    serializer=OverrideSerializer,
    filters={"schedule": ["exact"], "person__username": ["exact"], "begins_at": ["gte", "lte"], "ends_at": ["gte", "lte"]},
    search=("schedule__name", "person__username", "reason"),
)  # fmt: skip
