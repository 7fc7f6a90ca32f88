"""Duplicates, match rules and merges, declared: what people decide about two items that may be one."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.becoming import merged
from watchkeeper.domains.inventory.merging import stays, unmerge
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain as as_data
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


class KeepSerializer(serializers.Serializer[Any]):
    """Which of the two stays."""

    keep = serializers.CharField(
        required=False, allow_blank=True, default="",
        help_text="the id of the item that stays; else the one with a record, the confirmed, the older one",
    )  # fmt: skip


def _merge(actor: Actor, pair: m.Duplicate, data: dict[str, Any]) -> Done:
    keep, both = (
        data.get("keep") or stays(pair.first, pair.second).pk,
        {i.pk: i for i in (pair.first, pair.second)},
    )
    if keep not in both:
        raise Invalid(f"{keep!r} is neither of the two", "keep")
    gone = next(i for pk, i in both.items() if pk != keep)
    return merged(actor, both[keep], gone, pair.because)


def _apart(actor: Actor, pair: m.Duplicate, _: dict[str, Any]) -> Done:
    m.Duplicate.objects.filter(pk=pair.pk).update(
        state=m.Duplicate.State.NOT_THE_SAME, decided_by=actor.name[:150]
    )
    return Done()


def _again(_: Actor, pair: m.Duplicate, __: dict[str, Any]) -> Done:
    m.Duplicate.objects.filter(pk=pair.pk).update(state=m.Duplicate.State.PROPOSED, decided_by="")
    return Done()


def _undo(actor: Actor, done: m.Merge, _: dict[str, Any]) -> Done:
    return Done(body={"item": done.gone, "said": unmerge(actor, done)})


class DuplicateSerializer(RecordSerializer):
    """Both with their names."""

    first_name = serializers.CharField(source="first.name", read_only=True)
    second_name = serializers.CharField(source="second.name", read_only=True)
    because = serializers.SerializerMethodField(help_text="rule and sentence of each reason")

    class Meta:
        model = m.Duplicate
        fields = ("id", "first", "first_name", "second", "second_name", "score", "because", "state", "found_at",
                  "decided_by")  # fmt: skip
        read_only_fields = fields

    def get_because(self, pair: m.Duplicate) -> list[dict[str, str]]:
        """As objects."""
        return [{"rule": rule, "text": text} for rule, text in pair.because]


class MergeSerializer(RecordSerializer):
    """What became part of what, without the rows that are kept for undoing it."""

    because = serializers.SerializerMethodField()

    class Meta:
        model = m.Merge
        fields = ("id", "item", "gone", "name", "at", "by", "because", "undone_at")
        read_only_fields = fields

    def get_because(self, done: m.Merge) -> list[dict[str, str]]:
        """As objects."""
        return [{"rule": rule, "text": text} for rule, text in as_data(done.because)]


def _open(pair: m.Duplicate) -> bool:
    return pair.state == m.Duplicate.State.PROPOSED


registry.add(
    Resource(
        model=m.Duplicate,
        path="duplicates",
        name="duplicate",
        policy_attributes=("state",),
        description="Two items that may be the same, and why.",
        fields=DuplicateSerializer.Meta.fields,
        columns=(
            Column("first__name", "One", link=True),
            Column("second__name", "The other"),
            Column("score", show=Show.COUNT),
            Column("state", show=Show.STATE),
            Column("found_at", "Found", Show.TIME),
        ),
        filters={"state": ["exact", "in"], "first": ["exact"], "second": ["exact"], "score": ["gte", "lt"]},
        search=("first__name", "second__name"),
        ordering=("-score", "id"),
        orderable=("found_at",),
        serializer=DuplicateSerializer,
        prepare=lambda found: found.select_related("first", "second"),
        default_filters={"state": "proposed"},
        actions=(
            Action("merge", "Merge", _merge, fields=KeepSerializer, offered=_open, audited=False),
            Action("not-the-same", "Not the same", _apart, offered=_open),
            Action("reconsider", "Reconsider", _again, offered=lambda pair: not _open(pair)),
        ),
    )
)
registry.add(
    Resource(
        model=m.Merge,
        path="merges",
        name="merge",
        policy_attributes=("by",),
        description="Items that became part of others, and can be taken apart again.",
        fields=MergeSerializer.Meta.fields,
        columns=(
            Column("name", "What became part", link=True),
            Column("item", "Of"),
            Column("at", "When", Show.TIME),
            Column("by", "By"),
            Column("undone_at", "Undone", Show.TIME),
        ),
        filters={"item": ["exact"], "gone": ["exact"], "undone_at": ["isnull"], "at": ["gte", "lt"]},
        search=("name", "item__name"),
        ordering=("-at", "-id"),
        serializer=MergeSerializer,
        prepare=lambda found: found.select_related("item").defer("kept"),
        actions=(
            Action("undo", "Take apart again", _undo, audited=False, offered=lambda done: done.undone_at is None,
                   confirm="What has come to the item since stays with it."),
        ),
    )
)  # fmt: skip
plain(
    m.MatchRule, "match rule", "match-rules", "name weight enabled automatic description", ordering=("name", "id"),
    search=("name", "description"), shown_only=("name", "description"), allow=frozenset({"change"}),
)  # fmt: skip
