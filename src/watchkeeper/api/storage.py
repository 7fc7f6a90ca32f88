"""/api/telemetry/storage/: what signals take, how far back they go, and for how long they are kept."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains import retention
from watchkeeper.domains.retention.fields import RetentionFields
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.fields import moment


class Table(serializers.Serializer[Any]):
    """What is kept of one kind of signals."""

    table = serializers.CharField()
    label = serializers.CharField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="on disk, compressed")
    oldest = serializers.DateTimeField(allow_null=True, help_text="of its rows; null: there are none")
    days = serializers.IntegerField(help_text="for which rows are kept; 0: for ever")


class Storage(APIView):
    """Read by whoever reads, changed by administrators."""

    def needs(self, request: Request) -> Scope:
        """By method."""
        return Scope.READ if request.method in ("GET", "HEAD", "OPTIONS") else Scope.ADMIN

    @extend_schema(operation_id="storage_list", responses=Table(many=True))
    def get(self, _: Request) -> Response:
        """Every table that a retention is chosen for."""
        return Response(_shown(retention.usage()))

    @extend_schema(operation_id="storage_change", request=RetentionFields, responses=Table(many=True))
    def patch(self, request: Request) -> Response:
        """Days by table; every table as it is then."""
        given = RetentionFields(data=request.data)
        validate(given, unknown(given, request.data))
        return Response(_shown(retention.keep(actor_of(request), given.validated_data)))


def _shown(tables: list[Any]) -> Any:
    rows = [
        {
            "table": t.table, "label": t.label, "rows": t.rows, "bytes": t.bytes, "days": t.days,
            "oldest": moment(t.oldest_ms) if t.oldest_ms else None,
        }
        for t in tables
    ]  # fmt: skip
    return Table(rows, many=True).data
