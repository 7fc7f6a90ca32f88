"""Notification rules, declared: who is told of which situations, and how."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.outgoing import addresses, webhooks
from watchkeeper.domains.situations import rules, telling
from watchkeeper.domains.situations.models import Channel, NotificationRule
from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer
from watchkeeper.model.verdicts import Severity, Situation, SituationState


class NotificationRuleSerializer(RecordSerializer):
    """The secret is made here and shown once."""

    labels = serializers.DictField(
        child=serializers.CharField(max_length=1024), default=dict,
        help_text="one alert of the situation must carry them all; empty: any",
    )  # fmt: skip
    events = serializers.ListField(
        child=Choice(choices=rules.EVENTS),
        default=list,
        help_text="none chosen: all of them",
    )
    min_severity = Choice(choices=[s.value for s in Severity], default=Severity.WARNING.value)

    class Meta:
        model = NotificationRule
        fields = ("id", "name", "enabled", "channel", "address", "min_severity", "labels", "words", "events",
                  "created_at")  # fmt: skip
        read_only_fields = ("id", "created_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The address suits the channel. Raises ValidationError."""
        before = self.instance
        channel = attrs.get("channel", before.channel if before else Channel.WEBHOOK)
        address = attrs.get("address", before.address if before else "")
        try:
            (addresses.check_mail if channel == Channel.EMAIL else addresses.check_web)(address)
        except Invalid as error:
            raise serializers.ValidationError({"address": error.detail}) from error
        return attrs


def _make(_: Actor, data: dict[str, Any]) -> NotificationRule:
    secret = webhooks.new_secret() if data.get("channel", Channel.WEBHOOK) == Channel.WEBHOOK else ""
    made = NotificationRule.objects.create(**data, secret=secret)
    if secret:
        made.shown_once = {"secret": secret}  # type: ignore[attr-defined]
    return made


def _rotate(_: Actor, rule: NotificationRule, __: dict[str, Any]) -> Done:
    rule.secret = webhooks.new_secret()
    rule.save(update_fields=["secret"])
    return Done(body={"secret": rule.secret, "shown_once": {"secret": rule.secret}})


def _test(actor: Actor, rule: NotificationRule, _: dict[str, Any]) -> Done:
    if not rule.enabled:
        raise Refused("the rule is switched off")
    now_ms = milliseconds(timezone.now())
    example = Situation(
        id="test",
        state=SituationState.OPEN,
        severity=rule.min_severity,
        opened_ms=now_ms,
        updated_ms=now_ms,
        title=f"A test by {actor.name}: nothing is wrong",
    )
    row = f"notify:{rule.pk}:test:{uuid.uuid4().hex}"
    payload = {"rule": rule.pk, "message": telling.message("test", example, {}, now_ms)}
    outbox.add([outbox.Effect(row, telling.KIND, "test", payload)])
    return Done(body={"effect": row})


registry.add(
    Resource(
        model=NotificationRule,
        path="notification-rules",
        prepare=lambda found: found.defer("secret"),
        name="notification rule",
        description="Who is told of situations that match: opened, risen in severity, resolved. Once each.",
        fields=NotificationRuleSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("enabled", "On", Show.YES),
            Column("channel", show=Show.STATE),
            Column("address"),
            Column("min_severity", "From", Show.SEVERITY),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"], "channel": ["exact"]},
        search=("name", "address"),
        ordering=("name",),
        orderable=("created_at",),
        writable=("name", "enabled", "channel", "address", "min_severity", "labels", "words", "events"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=NotificationRuleSerializer,
        create=_make,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action(
                "rotate-secret",
                "New signing secret",
                _rotate,
                scope=Scope.ADMIN,
                offered=lambda r: r.channel == Channel.WEBHOOK,
                confirm="The present secret stops signing at once.",
            ),
            Action("test", "Send a test", _test, scope=Scope.ADMIN),
        ),
    )
)
