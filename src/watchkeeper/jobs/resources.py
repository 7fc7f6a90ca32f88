"""Jobs, declared: to be read, started by their kind, cancelled and tried again."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


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
    kind = jobs.kinds().get(data["kind"])
    if kind is not None and kind.every and kind.needs is None:  # it says nothing of who else may
        raise Forbidden(
            "create", "jobs", (f"{data['kind']!r} is started by the platform itself, by its schedule.",)
        )
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
