"""Heartbeats, declared."""

from __future__ import annotations

from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from rest_framework import serializers

from watchkeeper.domains.heartbeats.models import Heartbeat
from watchkeeper.domains.outgoing import addresses
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_SET = ("name", "enabled", "url", "method", "interval", "fail_url", "patience", "least_free")
_TOLD = ("calls", "state", "reason", "tried_at", "succeeded_at", "failed_at")


class HeartbeatSerializer(RecordSerializer):
    """Addresses are those of the web, can be sent and are never shown; what came of a heartbeat cannot be sent."""

    calls = serializers.CharField(read_only=True)

    interval = serializers.IntegerField(
        label="Every (seconds)", default=30, min_value=5, max_value=3600,
        help_text="the service has to expect it as often, and to miss it soon",
    )  # fmt: skip
    patience = serializers.IntegerField(
        label="May lag (seconds)", default=30, min_value=5, max_value=3600,
        help_text="a process that is silent for longer, and analysis or storage that is further behind, holds it back",
    )  # fmt: skip
    least_free = serializers.IntegerField(
        label="Free disk (MiB)", default=512, min_value=0, max_value=1_000_000_000,
        help_text="with less it is held back",
    )  # fmt: skip

    class Meta:
        model = Heartbeat
        fields = ("id", *_SET, *_TOLD)
        read_only_fields = ("id", *_TOLD)
        extra_kwargs = {
            "url": {
                "max_length": 2000,
                "required": False,  # of one that is there: what was read, without it, can be put back
                "help_text": "such as https://hc-ping.com/…, never shown again; one inside has to be in "
                "WATCHKEEPER_OUTBOUND_ALLOW",
            },
            "fail_url": {
                "max_length": 2000,
                "help_text": "called instead while something is wrong; without one nothing is called",
            },
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError when a new one has no address."""
        if self.instance is None and not attrs.get("url"):
            raise serializers.ValidationError({"url": "This field is required."})
        return attrs

    def validate_url(self, value: str) -> str:
        """Raises ValidationError."""
        try:
            addresses.check_web(value)
        except Invalid as error:
            raise serializers.ValidationError(error.detail) from error
        return value

    def validate_fail_url(self, value: str) -> str:
        """Raises ValidationError."""
        return self.validate_url(value) if value else value


registry.add(
    Resource(
        model=Heartbeat,
        path="heartbeats",
        prepare=lambda found: found.defer("url", "fail_url").annotate(sealed=Cast("url", TextField())),
        name="heartbeat",
        description="Addresses that are called while all of Watchkeeper works, so that its silence is noticed elsewhere.",
        fields=HeartbeatSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("enabled", "On", Show.YES),
            Column("calls"),
            Column("state", show=Show.STATE),
            Column("reason", "Why"),
            Column("succeeded_at", "Last answered", Show.TIME),
            Column("failed_at", "Last trouble", Show.TIME),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"], "state": ["exact", "in"]},
        search=("name",),
        ordering=("name",),
        orderable=("succeeded_at", "failed_at"),
        writable=_SET,
        allow=frozenset({"create", "change", "remove"}),
        serializer=HeartbeatSerializer,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)
