"""Alerts, situations and their timeline, declared. What can be done to them are acts; see acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from watchkeeper.domains import identity
from watchkeeper.domains.inventory import names_of
from watchkeeper.domains.problems.making import OF_SITUATIONS
from watchkeeper.domains.problems.writing import WRITE
from watchkeeper.domains.situations import happenings, judgements, notification_rules, silencing  # noqa: F401  (they declare)
from watchkeeper.domains.situations.acts import act
from watchkeeper.domains.situations.models import Alert, AppliedAct, Situation, TimelineEntry
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.act import ActKind
from watchkeeper.model.reason import Reason


class Until(serializers.Serializer[Any]):
    """For how long."""

    until = serializers.DateTimeField(required=False, help_text="empty: until it is resolved")


class Assignee(serializers.Serializer[Any]):
    """To whom."""

    assignee = serializers.CharField(max_length=150, allow_blank=True, help_text="a user name; empty: nobody")


class Note(serializers.Serializer[Any]):
    """What to write."""

    text = serializers.CharField(max_length=10_000, style={"base_template": "textarea.html"})


class Others(serializers.Serializer[Any]):
    """Which situations go into this one."""

    others = serializers.ListField(
        child=serializers.CharField(max_length=64),
        min_length=1,
        max_length=100,
        help_text="ids of situations",
    )


class Leaving(serializers.Serializer[Any]):
    """Which alerts leave for a situation of their own."""

    alerts = serializers.ListField(
        child=serializers.CharField(max_length=64), min_length=1, max_length=5000, help_text="fingerprints"
    )


class Undone(serializers.Serializer[Any]):
    """Which merge or split is taken back."""

    act = serializers.CharField(max_length=64, required=False, help_text="empty: the last one")


def _acknowledge(actor: Actor, obj: Any, data: dict[str, Any]) -> Done:
    return act(actor, ActKind.ACKNOWLEDGE, obj.pk, {"until_ms": milliseconds(data.get("until"))}, obj)


def _unacknowledge(actor: Actor, obj: Any, _: dict[str, Any]) -> Done:
    return act(actor, ActKind.UNACKNOWLEDGE, obj.pk, {}, obj)


def _resolve(actor: Actor, obj: Situation, _: dict[str, Any]) -> Done:
    return act(actor, ActKind.RESOLVE, obj.pk, {}, obj)


def _assign(actor: Actor, obj: Situation, data: dict[str, Any]) -> Done:
    if data["assignee"] and not identity.is_user(data["assignee"]):
        raise Invalid(f"there is no user {data['assignee']!r}", "assignee")
    return act(actor, ActKind.ASSIGN, obj.pk, dict(data), obj)


def _note(actor: Actor, obj: Situation, data: dict[str, Any]) -> Done:
    return act(actor, ActKind.NOTE, obj.pk, dict(data), obj)


def _merge(actor: Actor, obj: Situation, data: dict[str, Any]) -> Done:
    others = list(dict.fromkeys(data["others"]))
    if obj.pk in others:
        raise Invalid("a situation cannot go into itself", "others")
    found = dict(visible(actor, "situations").filter(pk__in=others).values_list("pk", "state"))
    for other in others:
        if other not in found:
            raise Invalid(f"there is no situation {other}", "others")
        if found[other] == "resolved":
            raise Refused(f"situation {other} is resolved and stays as it is")
    return act(actor, ActKind.MERGE, obj.pk, {"others": others}, obj)


def _split(actor: Actor, obj: Situation, data: dict[str, Any]) -> Done:
    alerts = list(dict.fromkeys(data["alerts"]))
    members = set(obj.memberships.values_list("alert_id", flat=True))
    for fingerprint in alerts:
        if fingerprint not in members:
            raise Invalid(f"{fingerprint} does not belong to this situation", "alerts")
    if len(alerts) == len(members):
        raise Invalid("at least one has to stay", "alerts")
    return act(actor, ActKind.SPLIT, obj.pk, {"alerts": alerts}, obj)


def _undo(actor: Actor, obj: Situation, data: dict[str, Any]) -> Done:
    done = AppliedAct.objects.filter(target=obj.pk, kind__in=("merge", "split"))
    taken_back = AppliedAct.objects.filter(target=obj.pk, kind="undo")
    gone = {a.data.get("act") for a in taken_back}
    left = [pk for pk in done.order_by("-applied_at", "-at").values_list("pk", flat=True) if pk not in gone]
    wanted = data.get("act") or (left[0] if left else "")
    if wanted not in left:
        raise Refused("there is no such merge or split of this situation that could be taken back")
    return act(actor, ActKind.UNDO, obj.pk, {"act": wanted}, obj)


# These write through the journal: what is meant for one version is compared before them, not under a lock.
for _run in (_acknowledge, _unacknowledge, _resolve, _assign, _note, _merge, _split, _undo):
    _run.journaled = True  # type: ignore[attr-defined]


def _lives(s: Situation) -> bool:
    return s.state != "resolved"


class AlertSerializer(RecordSerializer):
    """`because` in sentences."""

    id = serializers.CharField(source="pk", read_only=True)
    item = serializers.SerializerMethodField()
    because = serializers.SerializerMethodField()
    situation = serializers.CharField(source="situation_id", read_only=True, allow_null=True)

    class Meta:
        model = Alert
        fields = ("id", "fingerprint", "name", "severity", "status", "summary", "item", "situation", "labels",
                  "annotations", "url", "source", "starts_at", "ends_at", "first_seen_at", "last_seen_at",
                  "count", "firings", "flapping", "suppressed_by", "acknowledged_by", "acknowledged_until",
                  "score", "because")  # fmt: skip
        read_only_fields = fields

    def get_item(self, alert: Alert) -> dict[str, str] | None:
        """Id and name. No constraint keeps an item that an alert names from being removed."""
        item = alert._state.fields_cache.get("item")
        return None if item is None else {"id": item.pk, "name": item.name}

    def get_because(self, alert: Alert) -> list[str]:
        """Whole sentences."""
        return [r.text for r in alert.because]

    def to_representation(self, alert: Alert) -> dict[str, Any]:
        """As the fields say, in a tenth of the time that asking each of them takes."""
        return {
            "id": alert.pk,
            "item": self.get_item(alert),
            "situation": alert.situation_id,
            **{name: getattr(alert, name) for name in _AS_THEY_ARE},
            **{name: _text(getattr(alert, name)) for name in _TIMES},
            "because": self.get_because(alert),
        }


_AS_THEY_ARE = ("fingerprint", "name", "severity", "status", "summary", "labels", "annotations", "url", "source",
                "count", "firings", "flapping", "suppressed_by", "acknowledged_by", "score")  # fmt: skip
_TIMES = ("starts_at", "ends_at", "first_seen_at", "last_seen_at", "acknowledged_until")


def _text(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


registry.add(
    Resource(
        model=Alert,
        path="alerts",
        policy_attributes=(
            "name",
            "severity",
            "status",
            "source",
            "count",
            "flapping",
            "item__name",
            "item_id",
        ),
        name="alert",
        description="What senders and our own detectors say is wrong; told again and again, it stays one alert.",
        fields=AlertSerializer.Meta.fields,
        columns=(
            Column("severity", show=Show.SEVERITY),
            Column("name", link=True),
            Column("item__name", "Item"),
            Column("status", show=Show.STATE),
            Column("acknowledged_by"),
            Column("count", "Times told", Show.COUNT),
            Column("starts_at", "Since", Show.TIME),
            Column("last_seen_at", "Last seen", Show.TIME),
        ),
        filters={
            "status": ["exact"],
            "severity": ["exact", "gte", "in"],
            "item": ["exact"],
            "situation": ["exact", "isnull"],
            "memberships__situation": ["exact"],  # also those that are over
            "source": ["exact"],
            "name": ["exact", "icontains"],
            "flapping": ["exact"],
            "acknowledged_by": ["exact"],
            "suppressed_by": ["exact"],
            "starts_at": ["gte", "lt"],
            "last_seen_at": ["gte", "lt"],
        },
        search=("name", "summary", "item__name"),
        ordering=("-last_seen_at", "-pk"),
        orderable=("severity", "starts_at", "first_seen_at", "count", "name"),
        serializer=AlertSerializer,
        prepare=lambda found: found.select_related("item"),
        actions=(
            Action(
                "acknowledge",
                "Acknowledge",
                _acknowledge,
                Until,
                audited=False,
                bulk=True,
                offered=lambda a: a.status == "firing" and not a.acknowledged_by,
            ),
            Action(
                "unacknowledge",
                "Take acknowledgement back",
                _unacknowledge,
                audited=False,
                bulk=True,
                offered=lambda a: bool(a.acknowledged_by),
            ),
            judgements.OF_ALERT,
        ),
        default_filters={"status": "firing"},
    )
)


class NamedList(serializers.ListSerializer[Any]):
    """Reads the names of all items that a page of situations mentions in one query."""

    def to_representation(self, data: Any) -> Any:
        """As the base, with names at hand."""
        page = list(data)
        self.child.names = names_of(c.item for s in page for c in s.causes)  # type: ignore[union-attr]
        return super().to_representation(page)


class SituationSerializer(RecordSerializer):
    """`because` and the causes' evidence in sentences that name the items; `reasons` are the same with kind and weight."""

    because = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    causes = serializers.SerializerMethodField()
    follows = serializers.SerializerMethodField()
    merged_into = serializers.SerializerMethodField()
    names: dict[str, str] | None = None

    class Meta:
        model = Situation
        list_serializer_class = NamedList
        fields = ("id", "state", "severity", "title", "opened_at", "updated_at", "resolved_at", "alert_count",
                  "assignee", "because", "reasons", "causes", "follows", "merged_into", "version")  # fmt: skip
        read_only_fields = fields

    def get_because(self, situation: Situation) -> list[str]:
        """Whole sentences."""
        return [r.text for r in situation.because]

    def get_reasons(self, situation: Situation) -> list[dict[str, Any]]:
        """Kind of evidence, sentence, and its share of the verdict, 0 to 1."""
        return _weighed(situation.because)

    def get_causes(self, situation: Situation) -> list[dict[str, Any]]:
        """Best first: the item, a score from 0 to 1, and sentences."""
        names = names_of(c.item for c in situation.causes) if self.names is None else self.names
        return [
            {
                "item": {"id": c.item, "name": names.get(c.item, c.item)},
                "score": c.score,
                "change": c.change or None,
                "because": [r.text for r in c.because],
                "reasons": _weighed(c.because),
            }
            for c in situation.causes
        ]

    def get_follows(self, situation: Situation) -> str | None:
        """The resolved situation that this one comes after."""
        return situation.follows or None

    def get_merged_into(self, situation: Situation) -> str | None:
        """Where its alerts went."""
        return situation.merged_into or None


def _weighed(because: Iterable[Reason]) -> list[dict[str, Any]]:
    return [{"kind": r.kind.value, "text": r.text, "weight": r.weight} for r in because]


def _alerts(situation: Situation) -> QuerySet[Alert]:
    return Alert.objects.filter(memberships__situation=situation)


registry.add(
    Resource(
        model=Situation,
        path="situations",
        policy_attributes=("title", "severity", "state", "assignee"),
        name="situation",
        description="Alerts that belong together, and what is behind them, with the reasons.",
        fields=SituationSerializer.Meta.fields,
        columns=(
            Column("severity", show=Show.SEVERITY),
            Column("title", link=True),
            Column("state", show=Show.STATE),
            Column("alert_count", "Alerts", Show.COUNT),
            Column("assignee"),
            Column("opened_at", "Opened", Show.TIME),
        ),
        filters={
            "state": ["exact", "in"],
            "severity": ["exact", "gte", "in"],
            "assignee": ["exact"],
            "merged_into": ["exact"],
            "follows": ["exact"],
            "opened_at": ["gte", "lt"],
            "updated_at": ["gte", "lt"],
            "memberships__alert": ["exact"],
        },
        search=("title",),
        ordering=("-opened_at", "-pk"),
        orderable=("severity", "updated_at", "alert_count"),
        serializer=SituationSerializer,
        actions=(
            Action(
                "acknowledge",
                "Acknowledge",
                _acknowledge,
                Until,
                offered=lambda s: s.state == "open",
                audited=False,
                bulk=True,
            ),
            Action("unacknowledge", "Take acknowledgement back", _unacknowledge, audited=False, bulk=True,
                   offered=lambda s: s.state == "acknowledged"),
            Action("assign", "Assign", _assign, Assignee, offered=_lives, audited=False, bulk=True),
            Action("note", "Add a note", _note, Note, audited=False, bulk=True),
            Action("merge", "Merge others into it", _merge, Others, offered=_lives, audited=False),
            Action("split", "Split alerts off", _split, Leaving, offered=_lives, audited=False),
            Action("undo", "Take a merge or split back", _undo, Undone, audited=False),
            judgements.OF_SITUATION,
            OF_SITUATIONS,
            WRITE["situations"],
            Action(
                "resolve",
                "Resolve",
                _resolve,
                offered=_lives,
                audited=False,
                bulk=True,
                confirm="Its alerts stay as their senders say; a new one opens a new situation.",
            ),
        ),
        related={"alerts": _alerts, "timeline": lambda s: s.timeline.all()},
        default_filters={"state__in": "open,acknowledged"},
    )
)  # fmt: skip

registry.add(
    Resource(
        model=TimelineEntry,
        path="timeline",
        name="timeline entry",
        description="What happened to situations, and what people did.",
        fields=("id", "situation", "at", "kind", "actor", "text", "data"),
        columns=(Column("at", "When", Show.TIME), Column("kind", show=Show.STATE), Column("actor", "Who"),
                 Column("text", "What")),
        filters={"situation": ["exact"], "kind": ["exact"], "actor": ["exact"], "at": ["gte", "lt"]},
        ordering=("-at", "-id"),
    )
)  # fmt: skip
