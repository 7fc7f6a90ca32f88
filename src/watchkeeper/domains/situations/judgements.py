"""Judgements, declared: what people have called usual on an alert or a situation, how often that has held something back,
and how it is taken back."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.situations.acts import act, wait
from watchkeeper.domains.situations.judging import DETECTORS, can_be_usual, meant
from watchkeeper.domains.situations.models import Alert, Judgement, Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.act import ActKind
from watchkeeper.model.judgements import WHENS, When

MOST = 100  # alerts of a situation


class Usual(serializers.Serializer[Any]):
    """Why, and when, and for how long."""

    why = serializers.CharField(max_length=1000, label="Why", help_text="for whoever wonders later")
    when = serializers.ChoiceField(WHENS, default=When.ALWAYS.value, label="Usual")
    until = serializers.DateTimeField(required=False, help_text="empty: until it is taken back")


def _alert(actor: Actor, alert: Alert, data: dict[str, Any]) -> Done:
    return act(actor, ActKind.USUAL, alert.pk, _said(alert, data), alert)


def _said(alert: Alert, data: dict[str, Any]) -> dict[str, Any]:
    until = data.get("until")
    if until is not None and until <= timezone.now():
        raise Invalid("this is past", "until")
    return meant(alert, When(data["when"]), data["why"], until)


def _of_situation(situation: Situation) -> list[Alert]:
    found = Alert.objects.filter(situation=situation.pk, status="firing", source__in=DETECTORS)
    return [a for a in found.order_by("pk")[:MOST] if can_be_usual(a)]


def _situation(actor: Actor, situation: Situation, data: dict[str, Any]) -> Done:
    """All of its alerts that our detectors found and the actor may judge; others stay as their senders say."""
    alerts = [a for a in _of_situation(situation) if may(actor, "usual", registry["alerts"], a)]
    if not alerts:
        raise Refused("none of its alerts that fire was found by a detector")
    said = [(a, _said(a, data)) for a in alerts]
    with ports.together():
        for alert, meant_by_it in said:
            act(actor, ActKind.USUAL, alert.pk, meant_by_it, alert)
    since = timezone.now()
    keys = [a.pk for a in alerts]
    there = Judgement.objects.filter(alert__in=keys, created_by=actor.name, ended_at=None)
    return Done(pending=not wait(lambda: there.filter(created_at__lte=since).count() >= len(keys)))


def _take_back(actor: Actor, judgement: Judgement, _: dict[str, Any]) -> Done:
    return act(actor, ActKind.UNUSUAL, judgement.pk, {}, judgement)


# These write through the journal: what is meant for one version is compared before them, not under a lock.
for _run in (_alert, _situation, _take_back):
    _run.journaled = True  # type: ignore[attr-defined]

#: what alerts and situations offer
OF_ALERT = Action("usual", "Not an anomaly", _alert, Usual, audited=False, bulk=True, offered=can_be_usual)
OF_SITUATION = Action(
    "usual", "Not an anomaly", _situation, Usual, audited=False,
    offered=lambda s: s.state != "resolved" and bool(_of_situation(s)),
)  # fmt: skip


def state_of(judgement: Judgement) -> str:
    """active, over or taken back, now."""
    if judgement.ended_at is not None:
        return "taken back"
    return "over" if judgement.until is not None and judgement.until <= timezone.now() else "active"


class JudgementSerializer(RecordSerializer):
    """`state`: active, over or taken back. `held`: how often it has held something back since it was made."""

    state = serializers.SerializerMethodField()
    item = serializers.CharField(source="item_id", read_only=True, allow_null=True)

    class Meta:
        model = Judgement
        fields = ("id", "text", "when", "why", "state", "alert", "name", "item", "created_by", "created_at", "until",
                  "held", "last_held_at", "last_held_text", "ended_by", "ended_at")  # fmt: skip
        read_only_fields = fields

    def get_state(self, found: Judgement) -> str:
        """As of now."""
        return state_of(found)


def of_alert(actor: Actor, alert: Alert) -> list[Judgement]:
    """What has been called usual on this alert, the newest first."""
    return list(visible(actor, "judgements").filter(alert=alert.pk).order_by("-created_at", "-pk")[:20])


registry.add(
    Resource(
        model=Judgement,
        path="judgements",
        policy_attributes=("created_by", "item__name", "item_id"),
        name="judgement",
        description="What people called usual: its like is not told again. Each says how often it has held something back.",
        fields=JudgementSerializer.Meta.fields,
        columns=(
            Column("text", "What is usual", link=True),
            Column("item__name", "Item"),
            Column("get_when_display", "When"),
            Column("created_by", "By"),
            Column("created_at", "Since", Show.TIME),
            Column("held", "Times held back", Show.COUNT),
            Column("last_held_at", "Last held back", Show.TIME),
            Column("ended_at", "Taken back", Show.TIME),
        ),
        filters={
            "alert": ["exact"],
            "item": ["exact"],
            "created_by": ["exact"],
            "ended_at": ["isnull"],
            "held": ["exact", "gte"],
            "last_held_at": ["gte", "lt"],
        },
        search=("text", "why", "name"),
        ordering=("-created_at", "-pk"),
        orderable=("held", "last_held_at"),
        serializer=JudgementSerializer,
        prepare=lambda found: found.select_related("item"),
        actions=(
            Action("take_back", "Take back", _take_back, offered=lambda j: j.ended_at is None, audited=False, bulk=True,
                   confirm="What it would have held back is told again."),
        ),
        default_filters={"ended_at__isnull": "true"},
    )
)  # fmt: skip
