"""/api/reliability/: MTBF and MTTR by item and by kind, and how much of the work was planned."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.domains.upkeep import reporting
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import registry

DAYS, MOST_DAYS = 90, 3650


class Failing(serializers.Serializer[Any]):
    """An item, or the items of a kind, over the time of the report."""

    name = serializers.CharField()
    kind = serializers.CharField()
    item = serializers.CharField(help_text="its id; empty: all of the kind")
    failures = serializers.IntegerField(source="found.failures")
    mtbf_seconds = serializers.FloatField(
        source="found.mtbf_s", help_text="time in which it worked, by its failures"
    )
    mttr_seconds = serializers.FloatField(
        source="found.mttr_s", allow_null=True, help_text="of failures that are over"
    )
    down_seconds = serializers.FloatField(source="found.down_s")
    availability = serializers.FloatField(
        source="found.available", allow_null=True, help_text="share of the time in which it worked"
    )


class ReliabilityReport(serializers.Serializer[Any]):
    """Worst first."""

    days = serializers.IntegerField()
    items = Failing(many=True)
    kinds = Failing(many=True)
    work = serializers.DictField(
        child=serializers.IntegerField(), help_text="work orders by kind: done, or open"
    )
    planned = serializers.FloatField(
        allow_null=True, help_text="share of them that was preventive or proactive"
    )


def days_of(text: str | None) -> int:
    """How many days a report is about. Raises BadQuery."""
    if text is None or text == "":
        return DAYS
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise BadQuery(f"days: a number from 1 to {MOST_DAYS}", "days")
    return int(text)


class ReliabilityView(APIView):
    """Of what one may read."""

    @extend_schema(
        operation_id="reliability",
        parameters=[OpenApiParameter("days", int, description=f"how far back; {DAYS} without it")],
        responses=ReliabilityReport,
    )
    def get(self, request: Request) -> Response:
        """How often things fail, and how long it takes to mend them."""
        actor = actor_of(request)
        require(actor, "read", registry["work-orders"])
        found = reporting.report(actor, days_of(request.query_params.get("days")), timezone.now())
        return Response(ReliabilityReport(found).data)
