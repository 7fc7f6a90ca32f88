"""/api/time-sums/: what the time spent on tickets comes to, by ticket, queue, person or month."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.domains.desk.timing.spending import BY, asked_sums
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.resource import registry


class SpentSerializer(serializers.Serializer[Any]):
    """Minutes that were spent on one ticket, in one queue, by one person or in one month."""

    key = serializers.CharField(allow_null=True, help_text="the id; of a month its first day")
    name = serializers.CharField()
    minutes = serializers.IntegerField()
    billable = serializers.IntegerField(help_text="minutes of these")
    entries = serializers.IntegerField()


class SumsSerializer(serializers.Serializer[Any]):
    """All of them."""

    results = SpentSerializer(many=True)


class TimeSums(APIView):
    """Sums of the entries that the caller may read."""

    def asks(self, _: Request) -> Any:
        """To read time entries."""
        return (("read", registry["time-entries"]),)

    @extend_schema(
        operation_id="time_sums",
        parameters=[OpenApiParameter("by", str, enum=list(BY), description="what they are told by: month")],
        responses=SumsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Takes the filters of /api/time-entries/ too."""
        spent = asked_sums(actor_of(request), request.query_params)
        return Response(SumsSerializer({"results": spent}).data)
