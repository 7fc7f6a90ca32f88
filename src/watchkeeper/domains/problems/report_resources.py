"""Post-incident reports with their versions, and the lines that people add to timelines, declared. They hang on a ticket,
a problem or a situation: whoever may read that reads them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.annotations.attaching import settle
from watchkeeper.domains.knowledge import versions
from watchkeeper.domains.problems import reporting
from watchkeeper.domains.problems.models import Report, ReportVersion, TimelineLine
from watchkeeper.domains.problems.writing import ABOUT, write
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


class AboutSerializer(RecordSerializer):
    """What hangs on a ticket, a problem or a situation, and stays there."""

    def validate_kind(self, kind: str) -> str:
        """Raises ValidationError."""
        if kind not in ABOUT:
            raise serializers.ValidationError(f'"{kind}" is not one of: {", ".join(ABOUT)}')
        return kind


class TimelineLineSerializer(AboutSerializer):
    """A line of a timeline."""

    at = serializers.DateTimeField(required=False, label="When", help_text="empty: now")

    class Meta:
        model = TimelineLine
        fields = ("id", "kind", "record", "at", "text", "by")
        read_only_fields = ("id", "by")


class ReportSerializer(AboutSerializer):
    """With an empty text, the report is written from what the records say."""

    title = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="empty: by what it is about"
    )
    body = serializers.CharField(
        label="Text",
        max_length=400_000,
        required=False,
        allow_blank=True,
        style={"base_template": "textarea.html", "rows": 24},
        help_text="Markdown; empty in a new report: written from what the records say",
    )

    class Meta:
        model = Report
        fields = ("id", "kind", "record", "title", "body", "version", "made_by", "made_at", "changed_at")
        read_only_fields = ("id", "version", "made_by", "made_at", "changed_at")


def _line(actor: Actor, data: dict[str, Any]) -> TimelineLine:
    settle(actor, data)
    return TimelineLine.objects.create(by=actor.name[:200], **{"at": timezone.now(), **data})


def _stays(record: Any, data: dict[str, Any]) -> None:
    if any(name in data and data[name] != getattr(record, name) for name in ("kind", "record")):
        raise Invalid("it stays with its record", "record")


def _change_line(_: Actor, line: TimelineLine, data: dict[str, Any]) -> TimelineLine:
    _stays(line, data)
    for name in {"at", "text"} & data.keys():
        setattr(line, name, data[name])
    line.save()
    return line


def _change(actor: Actor, report: Report, data: dict[str, Any]) -> Report:
    _stays(report, data)
    for name in {"title", "body"} & data.keys():
        setattr(report, name, data[name])
    report.save()
    versions.keep(report, actor)
    return report


def _anew(actor: Actor, report: Report, _: dict[str, Any]) -> Done:
    kind, record = subject(report.kind, report.record)
    report.body = reporting.written(actor, kind, record)
    report.save(update_fields=["body"])
    versions.keep(report, actor, "written anew from the records")
    return Done()


registry.add(
    Resource(
        model=TimelineLine,
        path="timeline-lines",
        name="timeline line",
        description="What people have added to the timeline of a ticket, a problem or a situation.",
        fields=TimelineLineSerializer.Meta.fields,
        serializer=TimelineLineSerializer,
        columns=(Column("__str__", "What happened", link=True), Column("at", "When", Show.TIME), Column("by", "Added by")),
        filters={"kind": ["exact", "in"], "record": ["exact"], "at": ["gte", "lte"], "by": ["exact"]},
        search=("text",),
        ordering=("-at", "-id"),
        writable=("at", "text"),
        create_only=("kind", "record"),
        allow=frozenset({"create", "change", "remove"}),
        create=_line,
        change=_change_line,
    )
)  # fmt: skip
registry.add(
    Resource(
        model=Report,
        path="post-incident-reports",
        name="post-incident report",
        description="What is told after an incident: what happened, why, and what is done about it.",
        fields=ReportSerializer.Meta.fields,
        serializer=ReportSerializer,
        columns=(
            Column("title", link=True),
            Column("made_by", "Written by"),
            Column("made_at", "Written", Show.TIME),
            Column("changed_at", "Changed", Show.TIME),
            Column("version", show=Show.COUNT),
        ),
        filters={"kind": ["exact", "in"], "record": ["exact"], "made_by": ["exact"], "made_at": ["gte", "lte"]},
        search=("title", "body"),
        ordering=("-made_at", "-id"),
        orderable=("title", "changed_at"),
        writable=("title", "body"),
        create_only=("kind", "record"),
        allow=frozenset({"create", "change", "remove"}),
        create=write,
        change=_change,
        related={"report-versions": lambda report: report.versions.all()},
        actions=(Action("write-anew", "Write it anew", _anew,
                        confirm="What people have changed stays as a version, and this one is written from the records."),),
    )
)  # fmt: skip
versions.declare(
    ReportVersion,
    "report-versions",
    "report version",
    "report",
    "post-incident-reports",
    "What a report said at one time.",
)
