"""Intake keys, and the mappings through which any JSON becomes alerts, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.identity import keys
from watchkeeper.domains.identity.models import IntakeKey, PayloadMapping
from watchkeeper.domains.identity.revoking import REVOKE
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model import doors
from watchkeeper.model.expressions import Expression, WrongExpression


class IntakeKeySerializer(RecordSerializer):
    """Lists of words instead of any JSON."""

    doors = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=50,
        help_text="names of the doors it opens, such as otlp or syslog; empty: all",
    )  # fmt: skip
    networks = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=200,
        help_text="where it may be used from, such as 10.0.0.0/8; empty: anywhere",
    )  # fmt: skip
    rate = serializers.FloatField(
        default=0.0, min_value=0.0, max_value=1e9, help_text="rows a second it may send; 0: no limit"
    )
    series = serializers.IntegerField(
        default=0, min_value=0, max_value=1_000_000, label="New series",
        help_text="how many metric series it may begin in six hours, its first ones included; 0: no limit",
    )  # fmt: skip

    class Meta:
        model = IntakeKey
        fields = ("id", "name", "doors", "networks", "rate", "series", "prefix", "created_at", "revoked_at")
        read_only_fields = ("id", "prefix", "created_at", "revoked_at")

    def validate_networks(self, value: list[str]) -> list[str]:
        """Raises Invalid."""
        return keys.checked_networks(value)


def _make_key(_: Actor, data: dict[str, Any]) -> IntakeKey:
    key, secret = keys.new_intake_key(
        data["name"], data["doors"], data["networks"], data["rate"], data["series"]
    )
    key.shown_once = {"secret": secret}  # type: ignore[attr-defined]
    return key


registry.add(
    Resource(
        model=IntakeKey,
        path="intake-keys",
        name="intake key",
        description="Keys with which signals are sent in. The secret is in the answer that makes one.",
        fields=IntakeKeySerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("prefix", "Begins with"),
            Column("doors", show=Show.TAGS),
            Column("networks", show=Show.TAGS),
            Column("rate", "Rows a second"),
            Column("series", "New series"),
            Column("revoked_at", "Revoked", Show.TIME),
        ),
        filters={"name": ["exact", "icontains"], "revoked_at": ["isnull"]},
        search=("name",),
        ordering=("name",),
        orderable=("created_at",),
        writable=("doors", "networks", "rate", "series"),
        create_only=("name",),
        allow=frozenset({"create", "change"}),
        serializer=IntakeKeySerializer,
        create=_make_key,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(REVOKE,),
        related={"payload-mappings": lambda key: PayloadMapping.objects.filter(intake_key=key)},
    )
)


_HELP = {
    "alerts_from": "a list of alerts in the payload, as in events[]; none: the payload is one alert. What follows is asked "
    "about each alert; payload() is all of it",
    "name_from": "what it is called, as in rule.title",
    "severity_from": "a word such as critical, error, warning, info",
    "status_from": "resolved, ok, closed, cleared, recovered, up, success, normal or false end it; all else fires",
    "labels_from": "an object, as in {host: server.name, team: owner}; host, instance and service find the item",
    "identity_from": "what is the same from its beginning to its end; none: name and labels together",
    "summary_from": "a sentence",
    "annotations_from": "an object with what varies, as in {value: reading}",
    "starts_from": "ISO 8601, or a number of seconds or milliseconds since 1970; none: now",
    "ends_from": "when it ended, written like that",
    "url_from": "an address to look at",
}


class ExpressionField(serializers.CharField):
    """A JMESPath expression, or none where that may be."""

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError with the place of the error."""
        written = str(super().to_internal_value(data)).strip()
        try:
            if written:
                Expression(written)
        except WrongExpression as error:
            raise serializers.ValidationError(error.detail) from error
        return written


class PayloadMappingSerializer(RecordSerializer):
    """Expressions that are some."""

    class Meta:
        model = PayloadMapping
        fields = ("id", "intake_key", *doors.Mapping.__struct_fields__, "created_at")
        read_only_fields = ("id", "created_at")
        extra_kwargs = {
            "intake_key": {"help_text": "whose payloads at the door custom become alerts this way"}
        }

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[Any, Any]:
        """Expressions are checked, and told what they are for."""
        made, options = super().build_standard_field(field_name, model_field)
        if field_name in _HELP:
            long = field_name in ("labels_from", "annotations_from", "summary_from")
            style = {"base_template": "textarea.html", "rows": 2 if long else 1}
            return ExpressionField, {**options, "help_text": _HELP[field_name], "style": style}
        return made, options


registry.add(
    Resource(
        model=PayloadMapping,
        path="payload-mappings",
        name="payload mapping",
        description="How any JSON that a key sends to /intake/custom becomes alerts: JMESPath expressions, each about one "
        "alert of the payload.",
        fields=PayloadMappingSerializer.Meta.fields,
        columns=(
            Column("intake_key__name", "Intake key", link=True),
            Column("name_from", "Name from"),
            Column("alerts_from", "Alerts from"),
            Column("created_at", "Made", Show.TIME),
        ),
        filters={"intake_key": ["exact"]},
        search=("intake_key__name",),
        ordering=("intake_key__name",),
        orderable=("created_at",),
        writable=doors.Mapping.__struct_fields__,
        create_only=("intake_key",),
        allow=frozenset({"create", "change", "remove"}),
        serializer=PayloadMappingSerializer,
        prepare=lambda found: found.select_related("intake_key"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)
