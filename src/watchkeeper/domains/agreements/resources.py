"""Calendars, agreements and targets, declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.agreements import public_holidays
from watchkeeper.domains.agreements.hours import exceptions, spans
from watchkeeper.domains.agreements.keeping import levels
from watchkeeper.domains.agreements.models import WEEKDAYS, Agreement, Calendar, Target
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer, time_zone

PRIORITIES = [(n, str(n)) for n in range(1, 6)]


def _reads(read: Callable[[str], object]) -> Callable[[str], None]:
    """A validator: what cannot be read is refused in the reader's own words."""

    def check(value: str) -> None:
        try:
            read(value)
        except (ValueError, KeyError, OSError) as error:
            raise serializers.ValidationError(str(error)) from error

    return check


class CalendarSerializer(RecordSerializer):
    """Hours are text: `09:00-12:00, 13:00-17:00`."""

    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone],
                                 help_text="whose clocks show these hours: Europe/Berlin")  # fmt: skip
    holidays = serializers.CharField(
        max_length=20, required=False, allow_blank=True, label="Public holidays",
        validators=[_reads(lambda code: code and public_holidays.of(code))],
        help_text="closed on those of a country, DE, or a part of one, DE-BY, US-CA",
    )  # fmt: skip
    exceptions = serializers.CharField(
        max_length=20_000, required=False, allow_blank=True, label="Days that differ",
        validators=[_reads(lambda text: list(exceptions(text)))], style={"base_template": "textarea.html"},
        help_text="one a line: 2026-12-24 09:00-12:00 Christmas Eve, or every year: 12-31 closed",
    )  # fmt: skip
    open_now = serializers.BooleanField(read_only=True)
    next_change_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Calendar
        fields = ("id", "name", "zone", *WEEKDAYS, "holidays", "exceptions", "open_now", "next_change_at")
        read_only_fields = ("id",)
        extra_kwargs = {
            day: {"validators": [_reads(spans)], "help_text": "such as 09:00-12:00, 13:00-17:00; 24h; empty: closed"}
            for day in WEEKDAYS
        }  # fmt: skip


class AgreementSerializer(RecordSerializer):
    """Ends after it begins, and is not kept by itself."""

    warnings = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="what the agreements beneath it do not carry"
    )

    class Meta:
        model = Agreement
        fields = (
            "id",
            "name",
            "kind",
            "organisation",
            "calendar",
            "pauses",
            "restarts",
            "tell_assignee",
            "tell_leads",
            "tell_team",
            "kept_by",
            "valid_from",
            "valid_until",
            "description",
            "warnings",
        )
        read_only_fields = ("id",)
        extra_kwargs = {
            "restarts": {"help_text": "what is left of the time for the resolution is the whole again from then on"},
            "kept_by": {"help_text": "the operational agreements and contracts by which this one is kept",
                        "required": False},
            **{
                f"tell_{who}": {"validators": [_reads(levels)], "help_text": said}
                for who, said in (
                    ("assignee", "of what is promised: 75, 100; empty: never"),
                    ("leads", "those who answer for the team of the ticket's queue"),
                    ("team", "everybody in the team of the ticket's queue"),
                )
            },
        }  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        begins, ends = (attrs.get(n, getattr(self.instance, n, None)) for n in ("valid_from", "valid_until"))
        if begins and ends and ends < begins:
            raise serializers.ValidationError({"valid_until": ["it ends before it begins"]})
        beneath = attrs.get("kept_by", ())
        kind = attrs.get("kind", getattr(self.instance, "kind", Agreement.Kind.SLA))
        if beneath and kind == Agreement.Kind.UC:
            raise serializers.ValidationError(
                {"kept_by": ["a supplier keeps a contract; nothing lies beneath it"]}
            )
        if named := next((a for a in beneath if a.kind == Agreement.Kind.SLA), None):
            raise serializers.ValidationError(
                {"kept_by": [f"{named} is promised to a customer; an OLA or a contract keeps an agreement"]}
            )
        if self.instance is not None and any(_reaches(a, self.instance) for a in beneath):
            raise serializers.ValidationError({"kept_by": ["it would be kept by itself"]})
        return attrs


def _reaches(lower: Agreement, upper: Agreement) -> bool:
    """Whether one agreement is the other, or is kept by it in the end."""
    seen, edge = set(), {lower.pk}
    while edge:
        if upper.pk in edge:
            return True
        seen |= edge
        edge = set(Agreement.objects.filter(keeps__in=edge).values_list("pk", flat=True)) - seen
    return False


class TargetSerializer(RecordSerializer):
    """Promises an answer, a resolution, or both."""

    priority = serializers.ChoiceField(choices=PRIORITIES, help_text="1 is the most urgent")

    class Meta:
        model = Target
        fields = ("id", "agreement", "priority", "response_minutes", "resolution_minutes")
        read_only_fields = ("id",)
        extra_kwargs = {
            n: {"min_value": 1, "max_value": 600_000, "help_text": "of working time; empty: nothing is promised"}
            for n in ("response_minutes", "resolution_minutes")
        }  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        answer, resolution = (
            attrs.get(n, getattr(self.instance, n, None)) for n in ("response_minutes", "resolution_minutes")
        )
        if not answer and not resolution:
            raise serializers.ValidationError({"resolution_minutes": ["say what is promised"]})
        if answer and resolution and answer > resolution:
            raise serializers.ValidationError(
                {"response_minutes": ["the first answer is promised after the resolution"]}
            )
        return attrs


registry.add(
    Resource(
        model=Calendar,
        path="calendars",
        name="calendar",
        description="When work is done: hours of each weekday, public holidays, and days that differ.",
        fields=CalendarSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("zone", "Time zone"),
            Column("open_now", "Open now", Show.YES),
            Column("next_change_at", "Until", Show.TIME),
            Column("holidays", "Public holidays"),
        ),
        filters={"name": ["exact", "icontains"], "zone": ["exact"]},
        search=("name",),
        ordering=("name", "id"),
        writable=("name", "zone", *WEEKDAYS, "holidays", "exceptions"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=CalendarSerializer,
    )
)
plain(
    Agreement, "service level agreement", "service-level-agreements",
    "name kind organisation:With calendar valid_until",
    fields=AgreementSerializer.Meta.fields, serializer=AgreementSerializer, policy_attributes=("name", "kind"),
    prepare=lambda found: found.select_related("organisation", "calendar").prefetch_related(
        "kept_by__targets", "targets"
    ),
    related={
        "agreement-targets": lambda a: a.targets.all(),
        "service-level-agreements": lambda a: Agreement.objects.filter(pk__in=a.kept_by.values("pk")),
        "tickets": lambda a: a.tickets.all(),
    },
)  # fmt: skip
plain(
    Target, "agreement target", "agreement-targets", "agreement priority response_minutes:First_answer_(min) "
    "resolution_minutes:Resolved_(min)", serializer=TargetSerializer, search=("agreement__name",),
)  # fmt: skip
