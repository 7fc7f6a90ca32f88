"""Changes, change models, freezes and who approves, declared."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.annotations.attaching import held_by
from watchkeeper.domains.changes import rules
from watchkeeper.domains.changes.models import ApprovalRule, Change, ChangeModel, Freeze
from watchkeeper.domains.changes.moving import MOVES, replan
from watchkeeper.domains.identity.naming import People, Person
from watchkeeper.jobs.port import kinds
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_PLANS = ("implementation", "test", "back_out", "job")
_SET = ("title", "type", "model", "reason", "items", *_PLANS, "starts_at", "ends_at", "automatic", "team", "owner",
        "holds_back", "exception")  # fmt: skip
_TOLD = (
    "status",
    "risk",
    "points",
    "because",
    "outcome",
    "review",
    "window",
    "opened_at",
    "started_at",
    "ended_at",
)
_MARKDOWN = {"help_text": "Markdown"}


def runs(job: str) -> str:
    """A validator: a job that needs no arguments. Raises ValidationError."""
    kind = kinds().get(job)
    if job and kind is None:
        raise serializers.ValidationError(f"there is no job {job!r}")
    if kind is not None and kind.fields is not None:
        try:
            kind.checked({})
        except Invalid as error:
            raise serializers.ValidationError(f"it needs arguments: {error.detail}") from error
    return job


class ChangeSerializer(RecordSerializer):
    """Its state is changed by actions; its risk is found out."""

    owner = Person(required=False, allow_null=True, help_text="a user name; empty: whoever writes this")
    because = serializers.SerializerMethodField(help_text="points and reasons of its risk")

    class Meta:
        model = Change
        fields = ("id", "number", *_SET, "about_kind", "about", *_TOLD)
        read_only_fields = ("id", "number", *_TOLD)
        extra_kwargs = {
            "implementation": _MARKDOWN,
            "test": {"help_text": "how it is seen to work, in Markdown"},
            "back_out": {"help_text": "how it is taken back, in Markdown"},
            "automatic": {"help_text": "at the beginning of its window, once it is scheduled"},
            "job": {"help_text": "a kind of job that it starts; empty: people do it"},
            "exception": {"help_text": "of an emergency only"},
        }

    def get_because(self, change: Change) -> list[str]:
        """In words."""
        return [str(w) for w in change.because or ()]

    def validate_job(self, job: str) -> str:
        """Raises ValidationError."""
        return runs(job)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        now = {
            n: attrs.get(n, getattr(self.instance, n, None))
            for n in ("starts_at", "ends_at", "type", "model")
        }
        if now["starts_at"] and now["ends_at"] and now["ends_at"] <= now["starts_at"]:
            raise serializers.ValidationError({"ends_at": ["its window ends after it begins"]})
        if now["type"] == Change.Type.STANDARD and not now["model"]:
            raise serializers.ValidationError({"model": ["a standard change is one of a model"]})
        return attrs


def _create(actor: Actor, data: dict[str, Any]) -> Change:
    items = data.pop("items", [])
    if data.get("about_kind"):
        ends = held_by(actor, data["about_kind"], data.get("about", ""), ("about_kind", "about"))
        data["about_kind"], data["about"] = ends
    change = Change(**data)
    change.owner = change.owner or actor.person
    if change.model is not None:
        _as_model(change, change.model)
    change.save()
    change.items.set(items)
    return change


def _as_model(change: Change, model: ChangeModel) -> None:
    """What its author has not said is as in the model."""
    for name in _PLANS:
        setattr(change, name, getattr(change, name) or getattr(model, name))
    change.team = change.team or model.team
    if change.starts_at and not change.ends_at:
        change.ends_at = change.starts_at + dt.timedelta(minutes=model.minutes)


def _change(actor: Actor, change: Change, data: dict[str, Any]) -> Change:
    for end in ("starts_at", "ends_at"):
        if change.status != rules.DRAFT and end in data and data[end] is None:
            raise Invalid(f"{change.number} is no draft any more: its window has a beginning and an end", end)
    altered = {n for n in data.keys() - {"items"} if getattr(change, n) != data[n]}
    if "items" in data and set(change.items.all()) != set(data["items"]):
        altered.add("items")
    if change.status not in rules.BEFORE and altered & {*_PLANS, "items", "starts_at", "type", "model"}:
        raise Refused(f"{change.number} is {change.get_status_display()}: what was approved stays as it is")
    items = data.pop("items", None)
    for name, value in data.items():
        setattr(change, name, value)
    change.save()
    if items is not None:
        change.items.set(items)
    if change.status == rules.SCHEDULED and altered & {"items", "starts_at", "ends_at", "automatic", "job"}:
        return replan(actor, change)
    return change


class FreezeSerializer(RecordSerializer):
    """Without kinds, tags and teams it is about every change."""

    class Meta:
        model = Freeze
        fields = (
            "id",
            "name",
            "strict",
            "begins_at",
            "ends_at",
            "calendar",
            "item_kinds",
            "item_tags",
            "teams",
            "reason",
        )
        read_only_fields = ("id",)
        extra_kwargs = {
            "strict": {"help_text": "no: busy hours, which make changes riskier"},
            "calendar": {"help_text": "empty: all the time"},
            "item_kinds": {"help_text": "with commas: devices, services; empty: all"},
            "item_tags": {"help_text": "with commas; empty: all"},
            "teams": {"help_text": "changes of these teams; none: of all"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        self.in_order(attrs)
        return attrs


class Users(People):
    """People of a record, in no order."""

    def to_representation(self, data: Any) -> list[str]:
        """Their names."""
        return sorted(p.username for p in data.all())


class ApprovalRuleSerializer(RecordSerializer):
    """Names people by their user names."""

    people = Users(required=False, help_text="user names, one a line")

    class Meta:
        model = ApprovalRule
        fields = ("id", "name", "risk", "position", "peers", "people", "teams", "quorum", "hours")
        read_only_fields = ("id",)
        extra_kwargs = {
            "position": {"min_value": 1, "max_value": 20, "help_text": "1 is asked first"},
            "quorum": {"max_value": 100, "help_text": "0: all of them"},
            "hours": {"min_value": 1, "max_value": 8760},
            "peers": {"help_text": "whoever is in the team of the change, without its author"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        if self.instance is None and not any(attrs.get(n) for n in ("people", "teams", "peers")):
            raise serializers.ValidationError({"people": ["say who has to approve"]})
        return attrs


class ChangeModelSerializer(RecordSerializer):
    """Plans as its changes have them."""

    class Meta:
        model = ChangeModel
        fields = ("id", "name", "enabled", "description", *_PLANS, "team", "minutes")
        read_only_fields = ("id",)
        extra_kwargs = {"minutes": {"min_value": 1, "max_value": 100_000}}

    def validate_job(self, job: str) -> str:
        """Raises ValidationError."""
        return runs(job)


registry.add(
    Resource(
        model=Change,
        path="changes",
        name="change",
        description="What is planned to be changed, how risky that is, who approved it, and what came of it.",
        fields=ChangeSerializer.Meta.fields,
        columns=(
            Column("number", link=True),
            Column("title"),
            Column("type", show=Show.STATE),
            Column("status", show=Show.STATE),
            Column("risk", show=Show.STATE),
            Column("starts_at", "Window begins", Show.TIME),
            Column("team"),
            Column("owner"),
        ),
        filters={
            "status": ["exact", "in"],
            "type": ["exact", "in"],
            "risk": ["exact", "in"],
            "model": ["exact", "isnull"],
            "items": ["exact"],
            "team": ["exact", "isnull"],
            "owner__username": ["exact", "in"],
            "about_kind": ["exact"],
            "about": ["exact"],
            "starts_at": ["gte", "lte", "isnull"],
            "ends_at": ["gte", "lte"],
            "outcome": ["exact", "in"],
        },
        search=("number", "title", "reason"),
        ordering=("-id",),
        orderable=("number", "starts_at", "points", "status"),
        writable=_SET,
        create_only=("about_kind", "about"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=ChangeSerializer,
        prepare=lambda found: found.select_related("model", "team", "owner", "window").prefetch_related(
            "items"
        ),
        create=_create,
        change=_change,
        policy_attributes=("type", "status", "risk", "team__name", "owner__username"),
        default_filters={"status__in": ",".join(rules.OPEN)},
        actions=MOVES,
    )
)
plain(
    ChangeModel, "change model", "change-models", "name team minutes enabled:In_use",
    serializer=ChangeModelSerializer, related={"changes": lambda m: m.changes.all()}, write_scope=Scope.ADMIN,
    search=("name", "description"), policy_attributes=("name",),
)  # fmt: skip
plain(
    Freeze, "freeze", "freezes", "name strict:Nothing_may_be_changed begins_at ends_at calendar:Only_in_the_hours_of",
    serializer=FreezeSerializer, ordering=("-begins_at", "-id"), search=("name", "reason"),
)  # fmt: skip
plain(
    ApprovalRule, "change approval rule", "change-approval-rules",
    "name risk:For_risk position:Step peers:The_change's_team quorum",
    serializer=ApprovalRuleSerializer, ordering=("risk", "position", "id"), write_scope=Scope.ADMIN,
)  # fmt: skip
