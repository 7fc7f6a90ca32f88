"""Capacity rules and forecasts, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.capacity.models import CapacityRule, Forecast
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.matching import read_matchers

_FIELDS = (
    "name",
    "enabled",
    "description",
    "measure",
    "metric",
    "labels",
    "limit_metric",
    "limit_value",
    "date",
    "lead_days",
)
Measure = CapacityRule.Measure
FORESEEN = 90  # days ahead, of what is measured


class CapacityRuleSerializer(RecordSerializer):
    """What is measured, and where its limit is, have to be said."""

    class Meta:
        model = CapacityRule
        fields = ("id", *_FIELDS)
        read_only_fields = ("id",)
        extra_kwargs = {
            "metric": {"help_text": "its name as under Metrics, such as license_seats_used"},
            "labels": {"help_text": 'as in Prometheus: fstype!~"tmpfs|overlay", job="db"; all of them have to hold'},
            "limit_metric": {"help_text": "of the same labels: the size, the number that was bought, the budget"},
            "limit_value": {"help_text": "a number, where no metric tells it; of a share 1, unless said otherwise"},
            "date": {"help_text": "which date of which records; what ends together is one"},
            "lead_days": {
                "help_text": "0 to 90, or to 730 before a date; it is an alert when it is expected within this time"
            },
        }  # fmt: skip

    def validate_labels(self, text: str) -> str:
        """Raises ValidationError with what is wrong."""
        try:
            read_matchers(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        measure, metric, limit_metric, limit, date, lead = (
            self.now(attrs, n)
            for n in ("measure", "metric", "limit_metric", "limit_value", "date", "lead_days")
        )
        if measure == Measure.RECORDED and not date:
            raise serializers.ValidationError({"date": "Say which date."})
        if measure != Measure.RECORDED and not str(metric or "").strip():
            raise serializers.ValidationError({"metric": "Say which metric."})
        if measure != Measure.RECORDED and lead is not None and lead > FORESEEN:
            raise serializers.ValidationError(
                {"lead_days": f"What is measured is foreseen {FORESEEN} days ahead and no further."}
            )
        if measure == Measure.FREE and not limit_metric:
            raise serializers.ValidationError({"limit_metric": "Say which metric tells the size."})
        if measure == Measure.USED and not limit_metric and limit is None:
            raise serializers.ValidationError({"limit_value": "Say the limit, or which metric tells it."})
        if limit is not None and limit <= 0:
            raise serializers.ValidationError({"limit_value": "A limit is more than 0."})
        return attrs


plain(
    CapacityRule,
    "capacity rule",
    "capacity-rules",
    "name measure looks_at:Looks_at lead_days:Alert_days_before enabled:On",
    description="What is watched for running out: disks, pools, licences, certificates, warranties, "
    "contracts; and how long before it is an alert.",
    serializer=CapacityRuleSerializer,
    search=("name", "metric"),
    ordering=("name",),
    orderable=("lead_days",),
    related={"forecasts": lambda rule: Forecast.objects.filter(rule=rule)},
)
registry.add(
    Resource(
        model=Forecast,
        path="forecasts",
        name="forecast",
        description="When what has a limit is expected to reach it, the most urgent first; looked at once an hour.",
        fields=(
            "id",
            "name",
            "rule",
            "item",
            "state",
            "because",
            "value",
            "limit",
            "unit",
            "grew",
            "expected_at",
            "earliest_at",
            "latest_at",
            "level",
            "error",
            "naive_error",
            "alerting",
            "looked_at",
            "measured_at",
            "since",
        ),
        columns=(
            Column("name", "What", link=True),
            Column("rule__name", "Kind"),
            Column("item", "Of"),
            Column("state", show=Show.STATE),
            Column("now_in_words", "Now"),
            Column("expected_at", "Expected", Show.TIME),
            Column("earliest_at", "At the earliest", Show.TIME),
        ),
        filters={
            "item": ["exact", "in"],
            "rule": ["exact", "in"],
            "state": ["exact", "in"],
            "alerting": ["exact"],
            "name": ["exact", "icontains"],
            "expected_at": ["gte", "lte", "isnull"],
        },
        search=("name", "item__name"),
        ordering=("-urgency", "name", "id"),
        orderable=("expected_at", "earliest_at", "name"),
        prepare=lambda found: found.select_related("item", "rule").defer("chart"),
        policy_attributes=("item__name",),
    )
)
