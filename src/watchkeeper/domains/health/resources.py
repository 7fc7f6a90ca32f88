"""Indicators and what they come to, declared."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.health.models import ServiceHealth, ServiceIndicator
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.evaluating import KNOWN
from watchkeeper.telemetry.promql.parsing import parse

_FIELDS = ("item", "name", "source", "query", "unit", "other", "worse", "low", "medium", "high", "critical",
           "importance")  # fmt: skip
_LEVELS = ("low", "medium", "high", "critical")


class IndicatorSerializer(RecordSerializer):
    """What is looked at has to be said, and thresholds have to follow each other."""

    class Meta:
        model = ServiceIndicator
        fields = ("id", *_FIELDS)
        read_only_fields = ("id",)
        extra_kwargs = {
            "query": {"help_text": "PromQL; of several series the worst counts",
                      "style": {"base_template": "textarea.html"}},
            "unit": {"help_text": "of its values: s, By, 1 for a share"},
            "other": {"help_text": "one that this service needs"},
            "low": {"help_text": "the value from which it is low; empty: never"},
            "importance": {
                "help_text": "0 does not count, 10 counts most; 11: when it is critical, the service is"
            },
        }  # fmt: skip

    def validate_query(self, text: str) -> str:
        """Raises ValidationError with the place of the error."""
        try:
            if text.strip():
                parse(text, KNOWN, AGGREGATIONS)
        except BadQuery as error:
            raise serializers.ValidationError(error.detail) from error
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        source = self.now(attrs, "source")
        if source == ServiceIndicator.Source.QUERY:
            self._check_query(attrs)
        if source == ServiceIndicator.Source.HEALTH:
            other = self.now(attrs, "other")
            if other is None or other == self.now(attrs, "item"):
                raise serializers.ValidationError({"other": "Say which other service."})
        return attrs

    def _check_query(self, attrs: dict[str, Any]) -> None:
        if not str(self.now(attrs, "query") or "").strip():
            raise serializers.ValidationError({"query": "Say what is asked."})
        given = [(n, self.now(attrs, n)) for n in _LEVELS if self.now(attrs, n) is not None]
        if not given:
            raise serializers.ValidationError({"critical": "Say from which value on it is bad."})
        above = self.now(attrs, "worse") == ServiceIndicator.Worse.ABOVE
        for (less, a), (more, b) in pairwise(given):
            if a > b if above else a < b:
                said = f"This is reached before {less}, which is less bad."
                raise serializers.ValidationError({more: said})


plain(
    ServiceIndicator,
    "service indicator",
    "service-indicators",
    "name item:Service source:Looks_at importance",
    description="By what it is judged how a service is: a query, its alerts, or the health of a service that it needs.",
    serializer=IndicatorSerializer,
    search=("name", "item__name"),
    ordering=("name", "id"),
    orderable=("importance",),
    policy_attributes=("item__name",),
)
registry.add(
    Resource(
        model=ServiceHealth,
        path="service-health",
        name="service health",
        description="How each service is: a score from 0 to 100, looked at once a minute.",
        fields=("id", "item", "score", "state", "parts", "at", "since"),
        columns=(
            Column("item__name", "Service", link=True),
            Column("score", show=Show.COUNT),
            Column("state", show=Show.STATE),
            Column("since", "Since", Show.TIME),
        ),
        filters={"item": ["exact", "in"], "state": ["exact", "in"], "score": ["gte", "lte", "isnull"]},
        search=("item__name",),
        ordering=("-since", "id"),
        orderable=("at",),
        prepare=lambda found: found.select_related("item"),
        policy_attributes=("item__name",),
    )
)
