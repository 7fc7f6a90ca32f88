"""/api/grouping-rules/try: which of the last alerts a rule would have taken, before it is saved."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.trying import tried
from watchkeeper.domains.automation.conditions import LENGTH
from watchkeeper.domains.correlation import trying
from watchkeeper.kernel.resource import Resource, registry


class DraftedGrouping(serializers.Serializer[Any]):
    """What of a rule takes alerts."""

    condition = serializers.CharField(max_length=LENGTH)
    group_by = serializers.ListField(child=serializers.CharField(max_length=200), default=list, max_length=10)
    window_seconds = serializers.IntegerField(min_value=1, max_value=86_400, default=600)
    at_least = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    last = serializers.IntegerField(
        min_value=1, max_value=1000, default=trying.LAST, help_text="so many alerts"
    )


class TriedGroup(serializers.Serializer[Any]):
    """In what its alerts agree, how many they are, and which began first."""

    same = serializers.CharField()
    alerts = serializers.IntegerField()
    first = serializers.ListField(child=serializers.CharField(), help_text="ids of alerts")


class UndecidedAlerts(serializers.Serializer[Any]):
    """Why the condition was neither true nor false, and how often."""

    reason = serializers.CharField()
    alerts = serializers.IntegerField()


class TriedGrouping(serializers.Serializer[Any]):
    """`matched` of `looked_at` alerts, as so many situations."""

    looked_at = serializers.IntegerField()
    matched = serializers.IntegerField()
    situations = serializers.IntegerField()
    groups = TriedGroup(many=True)
    reasons = UndecidedAlerts(many=True)


class TryGrouping(APIView):
    """Whoever may make rules may try them."""

    def asks(self, _: Request) -> tuple[tuple[str, Resource], ...]:
        """To make grouping rules, and to read alerts."""
        return ("create", registry["grouping-rules"]), ("read", registry["alerts"])

    @extend_schema(request=DraftedGrouping, responses=TriedGrouping)
    def post(self, request: Request) -> Response:
        """Nothing is saved, and no alert is grouped."""
        return Response(trying.as_json(tried(request, DraftedGrouping, trying.try_out)))
