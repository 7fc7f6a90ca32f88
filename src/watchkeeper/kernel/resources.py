"""The audit trail, the outbox and long work, declared: to be read; what was given up can be tried again, and a job be
started and cancelled."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.kernel import jobs, outbox
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.models import AuditEntry, Delivery, Job, OutboxRow
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

registry.add(
    Resource(
        model=AuditEntry,
        path="audit",
        policy_attributes=("kind", "actor", "act"),
        name="audit entry",
        description="What people, tokens and commands did: who, when, from where, before and after.",
        fields=(
            "id",
            "at",
            "actor_kind",
            "actor",
            "actor_id",
            "address",
            "request_id",
            "act",
            "kind",
            "record",
            "name",
            "before",
            "after",
            "sealed_no",
            "seal",
        ),
        columns=(
            Column("at", "When", Show.TIME, link=True),
            Column("actor", "Who"),
            Column("act", "What"),
            Column("name", "Record"),
            Column("address", "From"),
        ),
        filters={
            "actor": ["exact"],
            "actor_kind": ["exact"],
            "act": ["exact", "startswith"],
            "kind": ["exact"],
            "record": ["exact"],
            "at": ["gte", "lt"],
        },
        search=("actor", "act", "name"),
        ordering=("-id",),
        orderable=("at",),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)


def _again(_: Actor, row: OutboxRow, __: dict[str, Any]) -> Done:
    outbox.again(OutboxRow.objects.filter(pk=row.pk))
    return Done()


registry.add(
    Resource(
        model=OutboxRow,
        path="outbox",
        name="effect",
        description="Notifications and other effects: due, done or given up.",
        fields=("id", "kind", "subject", "state", "created_at", "due_at", "attempts", "finished_at", "error"),
        columns=(
            Column("id", "Effect", link=True),
            Column("state", show=Show.STATE),
            Column("created_at", "Made", Show.TIME),
            Column("attempts", show=Show.COUNT),
            Column("error", "Last error"),
        ),
        filters={"state": ["exact"], "kind": ["exact"], "subject": ["exact"], "created_at": ["gte", "lt"]},
        ordering=("-created_at", "-id"),
        orderable=("due_at", "attempts"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action(
                "retry",
                "Do it again",
                _again,
                scope=Scope.ADMIN,
                offered=lambda r: r.state != "due",
                bulk=True,
            ),
        ),
        related={"deliveries": lambda row: row.deliveries.all()},
    )
)

registry.add(
    Resource(
        model=Delivery,
        path="deliveries",
        name="delivery",
        description="Every attempt at an effect, and what came back.",
        fields=("id", "row", "at", "attempt", "done", "milliseconds", "answer"),
        columns=(
            Column("at", "When", Show.TIME, link=True),
            Column("row_id", "Effect"),
            Column("attempt", show=Show.COUNT),
            Column("done", show=Show.YES),
            Column("answer"),
        ),
        filters={"row": ["exact"], "done": ["exact"], "at": ["gte", "lt"]},
        ordering=("-id",),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)


class JobSerializer(RecordSerializer):
    """A job, and what starts one: its kind and its arguments."""

    arguments = serializers.DictField(required=False, default=dict)
    user_name = serializers.CharField(source="user.username", read_only=True, default="")

    class Meta:
        model = Job
        fields = ("id", "kind", "label", "state", "done", "total", "unit", "message", "error", "result", "arguments", "log",
                  "attempt", "actor_kind", "actor", "user", "user_name", "created_at", "due_at", "started_at",
                  "finished_at")  # fmt: skip
        read_only_fields = tuple(f for f in fields if f not in ("kind", "arguments"))


def _start(actor: Actor, data: dict[str, Any]) -> Job:
    return jobs.written(data["kind"], data["arguments"], actor)[0]


_start.programs = True  # type: ignore[attr-defined]


def _cancel(actor: Actor, job: Job, _: dict[str, Any]) -> Done:
    jobs.cancel(actor, job)
    return Done()


def _anew(_: Actor, job: Job, __: dict[str, Any]) -> Done:
    jobs.again(job)
    return Done()


registry.add(
    Resource(
        model=Job,
        path="jobs",
        policy_attributes=("kind", "state", "user__username"),
        name="job",
        description="Long work in the background: imports, exports, checks. Who started it, how far it is, what came of it.",
        fields=JobSerializer.Meta.fields,
        columns=(
            Column("label", "Job", link=True),
            Column("state", show=Show.STATE),
            Column("actor", "Started by"),
            Column("created_at", "Asked for", Show.TIME),
            Column("finished_at", "Over", Show.TIME),
        ),
        filters={
            "state": ["exact", "in"],
            "kind": ["exact"],
            "actor": ["exact"],
            "created_at": ["gte", "lt"],
        },
        search=("label", "actor"),
        ordering=("-created_at", "-id"),
        orderable=("state", "due_at", "finished_at"),
        create_only=("kind", "arguments"),
        allow=frozenset({"create"}),
        serializer=JobSerializer,
        prepare=lambda found: found.select_related("user"),
        create=_start,
        actions=(
            Action(
                "cancel", "Cancel", _cancel, offered=lambda job: not job.finished and not job.cancel_asked
            ),
            Action("retry", "Try again", _anew, offered=lambda job: job.state in ("failed", "cancelled")),
        ),
    )
)
