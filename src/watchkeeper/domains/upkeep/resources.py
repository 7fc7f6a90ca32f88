"""Maintenance plans and work orders, declared."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.upkeep import planning, rules
from watchkeeper.domains.upkeep.models import MaintenancePlan, WorkOrder
from watchkeeper.domains.upkeep.moving import MOVES
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.rest import RecordSerializer, time_zone
from watchkeeper.model.errors import Malformed
from watchkeeper.model.schedule import parse_rule
from watchkeeper.telemetry import promql

_PLAN = ("name", "enabled", "description", "items", "item_kind", "item_tag", "trigger", "rule", "starts_at", "zone",
         "lead_days", "query", "every", "team", "checklist", "due_days")  # fmt: skip
_ORDER = ("title", "kind", "description", "item", "team", "assignee", "checklist", "due_at")
_TOLD = ("status", "plan", "put_off_until", "put_off_because", "parts", "minutes", "notes", "opened_at", "started_at",
         "done_at")  # fmt: skip


class PlanSerializer(RecordSerializer):
    """`next_at`: when it is next due by the calendar."""

    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone])
    next_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = MaintenancePlan
        fields = ("id", *_PLAN, "next_at")
        read_only_fields = ("id",)
        extra_kwargs = {
            "item_kind": {"help_text": "such as devices or host"},
            "rule": {
                "help_text": "FREQ=WEEKLY: every week; FREQ=MONTHLY;INTERVAL=3: every three months; "
                "FREQ=MONTHLY;BYDAY=1MO: on the first Monday of a month (RFC 5545)"
            },
            "query": {
                "help_text": 'PromQL with $item for the name of the item: run_hours{host="$item"}',
                "style": {"input": "meter"},
            },
            "every": {"min_value": 1e-9, "help_text": "500: at 500, 1000, 1500 …"},
            "checklist": {"help_text": "one step a line"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        whole = self.instance
        now = {n: attrs.get(n, getattr(whole, n, MaintenancePlan._meta.get_field(n).get_default())) for n in
               ("trigger", "rule", "starts_at", "zone", "query", "every", "item_kind", "item_tag")}  # fmt: skip
        named = attrs.get("items") if "items" in attrs else whole and whole.items.exists()
        if not named and not now["item_kind"] and not now["item_tag"]:
            raise serializers.ValidationError({"items": ["name items, or their kind or tag"]})
        if now["trigger"] == MaintenancePlan.Trigger.CALENDAR:
            _calendar(now)
        if now["trigger"] == MaintenancePlan.Trigger.METER:
            _meter(now)
        return attrs


def _calendar(now: dict[str, Any]) -> None:
    if now["starts_at"] is None:
        raise serializers.ValidationError({"starts_at": ["when is it due for the first time?"]})
    try:
        found = parse_rule(
            now["rule"], now["starts_at"].astimezone(ZoneInfo(now["zone"])).replace(tzinfo=None)
        )
    except Malformed as error:
        raise serializers.ValidationError({"rule": [error.detail]}) from error
    if next(iter(found), None) is None:
        raise serializers.ValidationError({"rule": ["it would never be due"]})


def _meter(now: dict[str, Any]) -> None:
    if not now["every"]:
        raise serializers.ValidationError({"every": ["after how much is it due?"]})
    if "$item" not in now["query"]:
        raise serializers.ValidationError({"query": ["it has $item where the item's name goes"]})
    try:
        promql.kind_of(now["query"].replace("$item", "x"))
    except promql.QueryError as error:
        raise serializers.ValidationError({"query": [error.detail]}) from error


def _create(_: Actor, data: dict[str, Any]) -> MaintenancePlan:
    items = data.pop("items", [])
    plan = MaintenancePlan.objects.create(**data)
    plan.items.set(items)
    planning.follow(plan, timezone.now(), at_once=True)
    return plan


def _change(_: Actor, plan: MaintenancePlan, data: dict[str, Any]) -> MaintenancePlan:
    items = data.pop("items", None)
    for name, value in data.items():
        setattr(plan, name, value)
    plan.version += 1
    plan.save()
    if items is not None:
        plan.items.set(items)
    planning.follow(plan, timezone.now(), at_once=True)
    return plan


class WorkOrderSerializer(RecordSerializer):
    """Its state is changed by actions."""

    assignee = Person(required=False, allow_null=True)
    overdue = serializers.SerializerMethodField()

    class Meta:
        model = WorkOrder
        fields = ("id", "number", *_ORDER, *_TOLD, "overdue")
        read_only_fields = ("id", "number", *_TOLD)
        extra_kwargs = {"checklist": {"help_text": "one step a line; what is done begins with [x]"}}

    def validate_checklist(self, lines: str) -> str:
        """Each step has a box to tick."""
        return rules.to_tick(lines)

    def get_overdue(self, order: WorkOrder) -> bool:
        """Whether it should be done by now."""
        return order.status in rules.LIVING and order.due_at is not None and order.due_at < timezone.now()


plain(
    MaintenancePlan, "maintenance plan", "maintenance-plans", "name enabled:On trigger next_at:Next team",
    fields=PlanSerializer.Meta.fields, serializer=PlanSerializer, create=_create, change=_change,
    writable=_PLAN, related={"work-orders": lambda p: p.work_orders.all()}, search=("name", "description"),
    filters={"enabled": ["exact"], "trigger": ["exact", "in"], "team": ["exact", "isnull"], "items": ["exact"],
             "item_kind": ["exact"], "item_tag": ["exact"]},
    orderable=("trigger",),
    prepare=lambda found: found.select_related("team").prefetch_related("items"), policy_attributes=("name", "team__name"),
)  # fmt: skip
plain(
    WorkOrder, "work order", "work-orders", "number title kind status item team assignee due_at",
    fields=WorkOrderSerializer.Meta.fields, serializer=WorkOrderSerializer, writable=_ORDER,
    search=("number", "title", "description", "notes"), ordering=("-id",), orderable=("due_at", "number", "done_at"),
    filters={"status": ["exact", "in"], "kind": ["exact", "in"], "plan": ["exact", "isnull"], "item": ["exact", "isnull"],
             "team": ["exact", "isnull"], "assignee__username": ["exact"], "due_at": ["gte", "lte", "isnull"],
             "done_at": ["gte", "lte", "isnull"]},
    default_filters={"status__in": ",".join(rules.LIVING)}, actions=MOVES,
    prepare=lambda found: found.select_related("plan", "item", "team", "assignee"),
    policy_attributes=("kind", "status", "team__name", "assignee__username"),
)  # fmt: skip
