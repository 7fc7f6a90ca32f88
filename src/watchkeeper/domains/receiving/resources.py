"""Users of SNMPv3 and subscriptions to MQTT, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.receiving import rules
from watchkeeper.domains.receiving.models import MqttSubscription, SnmpUser
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.certificates import wrong_certificate

_TEXTAREA = {"base_template": "textarea.html", "rows": 6}


class SnmpUserSerializer(RecordSerializer):
    """The pass phrases can be sent and are never shown."""

    auth_secret = serializers.CharField(
        label="Pass phrase for signing", max_length=500, write_only=True, required=False, allow_blank=True,
        trim_whitespace=False, style={"input": "secret"},
    )  # fmt: skip
    privacy_secret = serializers.CharField(
        label="Pass phrase for encryption", max_length=500, write_only=True, required=False, allow_blank=True,
        trim_whitespace=False, style={"input": "secret"},
    )  # fmt: skip

    class Meta:
        model = SnmpUser
        fields = ("id", "name", "enabled", "auth", "auth_secret", "privacy", "privacy_secret")
        read_only_fields = ("id",)
        extra_kwargs = {
            "name": {"help_text": "as the device is told it: its security name"},
            "auth": {"help_text": "what comes otherwise is refused"},
        }

    def validate_name(self, value: str) -> str:
        """Raises ValidationError: RFC 3414 counts bytes."""
        if len(value.encode()) > 32:
            raise serializers.ValidationError("a name has at most 32 bytes")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""

        def given(name: str) -> str:
            default = "none" if name in ("auth", "privacy") else ""
            return str(attrs.get(name, getattr(self.instance, name, default)) or default)

        if wrong := rules.wrong_with_user(*map(given, ("auth", "auth_secret", "privacy", "privacy_secret"))):
            raise serializers.ValidationError(wrong)
        return attrs


def _texts(help_text: str, most: int = 2000) -> serializers.DictField:
    return serializers.DictField(
        child=serializers.CharField(max_length=most), default=dict, help_text=help_text
    )


class MqttSubscriptionSerializer(RecordSerializer):
    """The password can be sent and is never shown."""

    port = serializers.IntegerField(default=1883, min_value=1, max_value=65_535, help_text="8883 with TLS")
    certificate = serializers.CharField(
        label="Authority", max_length=50_000, required=False, allow_blank=True, style=_TEXTAREA,
        help_text="who signed the broker's certificate (PEM); empty: those of this system",
    )  # fmt: skip
    password = serializers.CharField(
        max_length=500, write_only=True, required=False, allow_blank=True, trim_whitespace=False,
        style={"input": "secret"},
    )  # fmt: skip
    topics = serializers.ListField(
        child=serializers.CharField(max_length=1000), allow_empty=False, max_length=100,
        help_text="such as site/{room}/temperature: {room} stands for any text and becomes a label; + and # as usual",
    )  # fmt: skip
    labels = _texts("labels that every sample or event gets, such as site: north")
    mapping = _texts(
        "for events: name, severity, summary, resolved, key, time, url, label.host … each with a JMESPath expression"
    )

    class Meta:
        model = MqttSubscription
        fields = ("id", "name", "enabled", "host", "port", "tls", "certificate", "user", "password", "client_id",
                  "topics", "payload", "metric", "labels", "mapping")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "host": {"help_text": "name or address; one inside has to be in WATCHKEEPER_OUTBOUND_ALLOW"},
            "client_id": {
                "help_text": "under which the broker keeps what comes while we are away; no other client may have it",
                "required": False,
            },
            "metric": {
                "help_text": "such as room_temperature, or room_{measure} with a part of the topic; empty: the last part of "
                "the topic, or the names in the JSON alone"
            },
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""

        def given(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        topics = given("topics") or []
        wrong = {"topics": rules.wrong_topic(topics), "labels": rules.wrong_labels(given("labels") or {}),
                 "mapping": rules.wrong_mapping(given("mapping") or {})}  # fmt: skip
        if not wrong["topics"]:
            wrong["metric"] = rules.wrong_metric(given("metric") or "", topics)
        if pem := attrs.get("certificate"):
            wrong["certificate"] = wrong_certificate(pem)
        if told := {field: text for field, text in wrong.items() if text}:
            raise serializers.ValidationError(told)
        return attrs


registry.add(
    Resource(
        model=SnmpUser,
        path="snmp-users",
        prepare=lambda found: found.defer("auth_secret", "privacy_secret"),
        name="SNMP user",
        description="Who may send SNMPv3 traps and informs, and how safe what they send has to be.",
        fields=SnmpUserSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("auth", "Signed with", Show.STATE),
            Column("privacy", "Encrypted with", Show.STATE),
            Column("enabled", "On", Show.YES),
        ),
        filters={"name": ["exact", "icontains"], "auth": ["exact", "in"], "privacy": ["exact", "in"],
                 "enabled": ["exact"]},
        search=("name",),
        ordering=("name",),
        writable=("name", "enabled", "auth", "auth_secret", "privacy", "privacy_secret"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=SnmpUserSerializer,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip

registry.add(
    Resource(
        model=MqttSubscription,
        path="mqtt-subscriptions",
        prepare=lambda found: found.defer("password"),
        name="MQTT subscription",
        description="Topics of MQTT brokers that are listened to, and what their messages are.",
        fields=MqttSubscriptionSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("host", "Broker"),
            Column("topics", show=Show.TAGS),
            Column("payload", "Messages are", Show.STATE),
            Column("enabled", "On", Show.YES),
        ),
        filters={"name": ["exact", "icontains"], "host": ["exact", "icontains"], "payload": ["exact", "in"],
                 "enabled": ["exact"]},
        search=("name", "host"),
        ordering=("name",),
        orderable=("host",),
        writable=tuple(f for f in MqttSubscriptionSerializer.Meta.fields if f != "id"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=MqttSubscriptionSerializer,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip
