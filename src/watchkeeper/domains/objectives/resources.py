"""Service level objectives, declared."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.objectives import burn_words
from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer, time_zone
from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.evaluating import KNOWN
from watchkeeper.telemetry.promql.parsing import parse

PATH = "service-level-objectives"
SET = (
    "name", "title", "description", "enabled", "service", "agreement", "indicator", "query", "total_query", "counter",
    "compare", "limit", "target", "method", "slice_seconds", "slice_target", "window_count", "window_unit", "aligned",
    "zone", "anchor", "exclude_maintenance", "alerts",
)  # fmt: skip
TOLD = (
    "state", "said", "attained", "left", "burn_hour", "burn_day", "severity", "expected_at", "earliest_at", "latest_at",
    "foreseen", "excluded_seconds", "unmeasured_seconds", "begins_at", "ends_at", "error", "evaluated_at",
)  # fmt: skip
_TEXT = {"base_template": "textarea.html"}
_FLOATS = {
    "attained": "%",
    "left": "% of the error budget",
    "burn_hour": "1: as fast as is allowed",
    "burn_day": "",
}
_Indicator = ServiceLevelObjective.Indicator


def _told(name: str) -> serializers.Field[Any, Any, Any, Any]:
    """A field of the standing; null before it was first evaluated."""
    given: dict[str, Any] = {"source": f"standing.{name}", "read_only": True, "allow_null": True}
    if name in _FLOATS:
        return serializers.FloatField(help_text=_FLOATS[name], **given)
    if name.endswith("_at"):
        return serializers.DateTimeField(**given)
    return serializers.IntegerField(**given) if name.endswith("_seconds") else serializers.CharField(**given)


class ObjectiveSerializer(RecordSerializer):
    """Queries are PromQL; what they have to be depends on what is measured."""

    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone],
                                 help_text="in whose days and months: Europe/Berlin")  # fmt: skip

    class Meta:
        model = ServiceLevelObjective
        fields = ("id", *SET, *TOLD)
        read_only_fields = ("id",)
        extra_kwargs = {
            "name": {"help_text": "letters, digits and hyphens: shop-availability"},
            "title": {"help_text": "what people read: The shop answers"},
            "service": {"help_text": "the item of the inventory that this is about"},
            "agreement": {"help_text": "the agreement that promises this, in whose reports it appears"},
            "query": {"style": _TEXT, "help_text":
                      'PromQL: how many were good (or bad) in 5 minutes, sum(increase(requests_total{code!~"5.."}[5m])); '
                      "or the share, or the value"},
            "total_query": {"style": _TEXT,
                            "help_text": "how many there were in all: sum(increase(http_requests_total[5m]))"},
            "counter": {"help_text": "the queries give counters themselves, without increase(); what they rise by counts"},
            "limit": {"help_text": "0.3 for 300 ms, where the value is in seconds"},
            "target": {"help_text": "how much of it has to be good: 99.9"},
            "method": {"help_text": "events: each counts; slices: each few minutes are good or bad, however many events"},
            "window_count": {"help_text": "30 with days: over the last 30 days"},
            "aligned": {"label": "By the calendar",
                        "help_text": "1 with months: from the first of a month; else the last 30 days, day by day"},
            "anchor": {"help_text": "for windows of several weeks or months: when one of them begins, in this time zone"},
            "exclude_maintenance": {"help_text": "the time of maintenance windows that reach the service does not count"},
            "alerts": {"style": _TEXT, "help_text":
                       "one a line: 14.4 over 1h and 5m: critical. The budget goes 14.4 times too fast over the last hour "
                       "and over the last 5 minutes. Empty: no alert"},
        }  # fmt: skip

    def validate_query(self, text: str) -> str:
        """Raises ValidationError with the place of the error."""
        try:
            if text.strip():
                parse(text, KNOWN, AGGREGATIONS)
        except BadQuery as error:
            raise serializers.ValidationError(error.detail) from error
        return text

    validate_total_query = validate_query

    def validate_anchor(self, at: dt.datetime | None) -> dt.datetime | None:
        """Raises ValidationError for a time of which no window can be reckoned."""
        if at is not None and not 1970 <= at.year <= 2100:
            raise serializers.ValidationError("Say a time between 1970 and 2100.")
        return at

    def validate_alerts(self, text: str) -> str:
        """Raises ValidationError with the line."""
        try:
            burn_words.read(text)
        except burn_words.Unreadable as error:
            raise serializers.ValidationError(str(error)) from error
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        indicator = self.now(attrs, "indicator")
        if (
            indicator in (_Indicator.GOOD, _Indicator.BAD)
            and not str(self.now(attrs, "total_query") or "").strip()
        ):
            raise serializers.ValidationError({"total_query": "Say how many there are in all."})
        if indicator == _Indicator.THRESHOLD and self.now(attrs, "limit") is None:
            raise serializers.ValidationError({"limit": "Say the limit."})
        unit, count = self.now(attrs, "window_unit"), self.now(attrs, "window_count")
        days = count * {"hour": 1 / 24, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[unit]
        if not 1 / 24 <= days <= 400:
            raise serializers.ValidationError({"window_count": "A window is between an hour and 400 days."})
        if self.now(attrs, "aligned") and unit == "hour":
            raise serializers.ValidationError(
                {"window_unit": "The calendar has days, weeks, months, quarters, years."}
            )
        return attrs


ObjectiveSerializer._declared_fields |= {name: _told(name) for name in TOLD}  # with how it stands
registry.add(
    Resource(
        model=ServiceLevelObjective,
        path=PATH,
        name="service level objective",
        description="What share of a service's events, or of its time, is to be good; and what of the error budget is left.",
        fields=ObjectiveSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("service"),
            Column("standing__state", "State", Show.STATE),
            Column("target", "Target (%)"),
            Column("standing__attained", "Attained (%)"),
            Column("standing__left", "Budget left (%)"),
            Column("standing__expected_at", "Used up", Show.TIME),
        ),
        filters={
            "name": ["exact", "icontains"],
            "service": ["exact", "in", "isnull"],
            "agreement": ["exact", "isnull"],
            "enabled": ["exact"],
            "standing__state": ["exact", "in"],
            "standing__left": ["gte", "lte"],
        },
        search=("name", "title", "description", "service__name"),
        ordering=("name", "id"),
        orderable=("standing__left", "standing__expected_at", "target"),
        writable=SET,
        allow=frozenset({"create", "change", "remove"}),
        serializer=ObjectiveSerializer,
        prepare=lambda found: found.select_related("service", "agreement", "standing").defer(
            "standing__chart"
        ),
        policy_attributes=("name", "service__name"),
    )
)
