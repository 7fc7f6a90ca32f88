"""Service reports, declared."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.reporting import making
from watchkeeper.domains.reporting.models import ServiceReport
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_ABOUT = ("agreement", "customer", "service")


class ServiceReportSerializer(RecordSerializer):
    """About one thing, or about everything; of a month that has begun."""

    content = serializers.JSONField(read_only=True, help_text="what the files say, as numbers")

    class Meta:
        model = ServiceReport
        fields = ("id", "month", *_ABOUT, "state", "asked_by", "asked_at", "made_at", "content")
        read_only_fields = ("id", "state", "asked_by", "asked_at", "made_at")
        extra_kwargs = {
            "month": {"help_text": "any day of it"},
            "agreement": {"help_text": "about the tickets and objectives of an agreement; of all three empty: about all"},
            "customer": {"help_text": "of all agreements with a customer"},
            "service": {"help_text": "about an item of the inventory"},
        }  # fmt: skip

    def validate_month(self, day: dt.date) -> dt.date:
        """Its first day. Raises ValidationError."""
        if day > timezone.now().date():
            raise serializers.ValidationError("this month has not begun yet")
        if day.year < 2000:
            raise serializers.ValidationError("there is nothing from then")
        return day.replace(day=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        given = [name for name in _ABOUT if attrs.get(name) is not None]
        if len(given) > 1:
            raise serializers.ValidationError(
                {given[1]: [f"a report is about one thing, and {given[0]} is given"]}
            )
        return attrs


def _create(actor: Actor, data: dict[str, Any]) -> ServiceReport:
    return making.ask(actor, ServiceReport(**data))


def _again(actor: Actor, report: ServiceReport, _: dict[str, Any]) -> Done:
    making.ask(actor, report)
    return Done()


registry.add(
    Resource(
        model=ServiceReport,
        path=making.KIND,
        name="service report",
        description="How a month was: tickets, promises kept and broken, objectives, availability; as PDF, Markdown, JSON.",
        fields=ServiceReportSerializer.Meta.fields,
        columns=(
            Column("about", "About", link=True),
            Column("month"),
            Column("state", show=Show.STATE),
            Column("made_at", "Made", Show.TIME),
            Column("asked_by", "Asked for by"),
        ),
        filters={
            "month": ["exact", "gte", "lte"],
            "state": ["exact"],
            "agreement": ["exact", "isnull"],
            "customer": ["exact", "isnull"],
            "service": ["exact", "isnull"],
        },
        search=("agreement__name", "customer__name", "service__name"),
        ordering=("-month", "-id"),
        orderable=("month", "made_at"),
        writable=("month", *_ABOUT),
        create_only=("month", *_ABOUT),
        allow=frozenset({"create", "remove"}),
        serializer=ServiceReportSerializer,
        prepare=lambda found: found.select_related(*_ABOUT),
        create=_create,
        policy_attributes=("agreement__name", "customer__name", "service__name"),
        actions=(Action("again", "Make it anew", _again),),
    )
)
