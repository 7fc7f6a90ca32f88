"""Escalation policies, their steps, and which situations they are for, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.identity.naming import People
from watchkeeper.domains.oncall.models import READ
from watchkeeper.domains.oncall.paging.models import EscalationPolicy, EscalationRule, EscalationStep, Hours
from watchkeeper.domains.outgoing import addresses, chat, webhooks
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.rest import RecordSerializer


class _Within(RecordSerializer):
    """Hours need a calendar. Raises ValidationError."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        if self.now(attrs, "hours") in (Hours.WITHIN, Hours.OUTSIDE) and self.now(attrs, "calendar") is None:
            raise serializers.ValidationError({"calendar": ["Say the hours of which calendar."]})
        return attrs


class StepSerializer(_Within):
    """Whom it tells: people by user name, whoever is on call in schedules, everybody of teams, a channel besides."""

    people = People(required=False, max_length=100, help_text="user names, one a line")

    class Meta:
        model = EscalationStep
        fields = (
            "id",
            "policy",
            "position",
            "schedules",
            "people",
            "teams",
            "minutes",
            "min_severity",
            "calendar",
            "hours",
            "channel",
            "address",
        )
        read_only_fields = ("id",)
        extra_kwargs = {
            "position": {"min_value": 1, "max_value": 100, "help_text": "1 is the first"},
            "minutes": {"min_value": 1, "max_value": 1440, "help_text": "after these the next step follows"},
            "schedules": {"help_text": "whoever is on call in them then"},
            "teams": {"help_text": "everybody in them at once"},
            "min_severity": {"help_text": "of less than this the step does not count"},
            "channel": {"help_text": "empty: nobody besides; a chat needs an incoming webhook there"},
            "address": {
                "max_length": 2000,
                "help_text": "https://…, as the channel gives it; it is not shown again",
            },
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """It tells somebody, and a channel has an address. Raises ValidationError."""
        super().validate(attrs)
        channel, address = self.now(attrs, "channel"), self.now(attrs, "address")
        if channel:
            try:
                addresses.check_web(address or "")
            except Invalid as error:
                raise serializers.ValidationError({"address": [error.detail]}) from error
        elif attrs.get("address"):
            raise serializers.ValidationError({"channel": ["Say what is at this address."]})
        else:
            attrs["address"] = ""  # it is not shown, so nobody could empty it
        held = self.instance
        for name in ("people", "schedules", "teams"):
            there = attrs.get(name)
            if there is None and held is not None:
                there = held.people if name == "people" else list(getattr(held, name).all())
            if there:
                return attrs
        if not channel:
            raise serializers.ValidationError(
                {"schedules": ["Name a schedule, people, a team or a channel."]}
            )
        return attrs


def _make_step(_: Actor, data: dict[str, Any]) -> EscalationStep:
    many = {name: data.pop(name, []) for name in ("people", "schedules", "teams")}
    secret = webhooks.new_secret() if data.get("channel") == chat.WEBHOOK else ""
    step = EscalationStep.objects.create(**data, secret=secret)
    _set(step, many)
    if secret:
        step.shown_once = {"secret": secret}  # type: ignore[attr-defined]
    return step


def _change_step(_: Actor, step: EscalationStep, data: dict[str, Any]) -> EscalationStep:
    many = {name: data.pop(name) for name in ("people", "schedules", "teams") if name in data}
    for name, value in data.items():
        setattr(step, name, value)
    if step.channel == chat.WEBHOOK and not step.secret:
        step.secret = webhooks.new_secret()
        step.shown_once = {"secret": step.secret}  # type: ignore[attr-defined]
    step.save()
    _set(step, many)
    return step


def _set(step: EscalationStep, many: dict[str, Any]) -> None:
    for name, records in many.items():
        getattr(step, "responders" if name == "people" else name).set(records)
    step.__dict__.get("_prefetched_objects_cache", {}).clear()


class RuleSerializer(_Within):
    """Which situations, and by which policy."""

    class Meta:
        model = EscalationRule
        fields = (
            "id",
            "name",
            "enabled",
            "position",
            "policy",
            "min_severity",
            "words",
            "items",
            "calendar",
            "hours",
            "urgency",
            "delay",
        )
        read_only_fields = ("id",)
        extra_kwargs = {
            "position": {"max_value": 10_000, "help_text": "the lowest is asked first; the first that fits decides"},
            "words": {"help_text": "all of them are in the title; empty: any title"},
            "items": {"help_text": "services or other items: these and whatever they need; none: any"},
            "calendar": {"help_text": "for a policy of the day and one of the night"},
            "delay": {"max_value": 1440, "help_text": "for what often ends by itself"},
        }  # fmt: skip


plain(
    EscalationPolicy, "escalation policy", "escalation-policies", "name team repeat:Begun_again",
    related={"escalation-steps": lambda p: p.steps.all(), "escalation-rules": lambda p: p.rules.all(),
             "escalations": lambda p: p.escalations.all()},
    policy_attributes=("name", "team__name"),
)  # fmt: skip
plain(
    EscalationStep, "escalation step", "escalation-steps",
    "policy position:Step tells:Who minutes:Minutes_to_answer min_severity:From_severity calendar hours channel:Also_tells",
    fields=StepSerializer.Meta.fields, serializer=StepSerializer, create=_make_step, change=_change_step,
    writable=StepSerializer.Meta.fields[1:], search=("policy__name",), ordering=("policy__name", "position", "id"),
    orderable=("position", "minutes"),
    filters={"policy": ["exact"], "schedules": ["exact"], "teams": ["exact"], "responders__username": ["exact"],
             "channel": ["exact"]},
    prepare=lambda found: found.select_related("policy", "calendar").prefetch_related(
        "responders", "teams", "schedules", *(f"schedules__{name}" for name in READ)
    ),
)  # fmt: skip
plain(
    EscalationRule, "escalation rule", "escalation-rules",
    "name enabled:On position:Order policy min_severity:From_severity calendar hours urgency",
    fields=RuleSerializer.Meta.fields, serializer=RuleSerializer, ordering=("position", "id"),
    policy_attributes=("name",), search=("name", "words"),
)  # fmt: skip
