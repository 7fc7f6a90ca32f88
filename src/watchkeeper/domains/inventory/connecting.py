"""Sources that are asked over the network: how they are reached, declared, and reading one, by hand or every so often."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.inventory.asking import Access, askers
from watchkeeper.domains.inventory.models import Connection, Source
from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job, JobState
from watchkeeper.kernel.acting import SYSTEM, Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done

JOB = "inventory-read"


class ReadSerializer(serializers.Serializer[Any]):
    """What shall be done with the answer."""

    dry_run = serializers.BooleanField(
        default=False, label="only compare", help_text="only say what would be done"
    )
    confirmed = serializers.BooleanField(default=False, help_text="also when it names far less than before")


class ReadFields(ReadSerializer):
    """Arguments of the job; `scheduled`: nobody asked for it at this moment."""

    source = serializers.IntegerField()
    scheduled = serializers.BooleanField(default=False)


def access_to(connection: Connection) -> Access:
    """As askers take it."""
    return Access(connection.address, connection.account, connection.secret, connection.certificate)


def read_now(actor: Actor, source: Source, data: dict[str, Any]) -> Done:
    """Start the job that reads it."""
    if not hasattr(source, "connection"):
        raise Refused(f"nothing says where {source.name} is: make a connection first")
    asked = {"source": source.pk, **data}
    made = jobs.start(JOB, asked, actor, label=f"{'Compare' if data['dry_run'] else 'Read'} {source.name}")
    return Done(body={"job": made.pk, "see": f"/jobs/{made.pk}/"})


def schedule(connection: Connection, after: dt.timedelta = dt.timedelta()) -> None:
    """Have it read by itself, unless that is waiting already or not wanted."""
    source = connection.source
    waiting = Job.objects.filter(
        kind=JOB, state=JobState.WAITING, arguments__source=source.pk, arguments__scheduled=True
    )
    if connection.every_hours and not waiting.exists():
        at = timezone.now() + after
        asked = {"source": source.pk, "scheduled": True}
        jobs.start(
            JOB,
            asked,
            SYSTEM,
            id=f"{JOB}-{source.pk}@{at:%Y-%m-%dT%H:%M:%S}",
            label=f"Read {source.name}",
            due_at=at,
        )


def _checked(source: Source) -> None:
    if source.type not in askers():
        there = ", ".join(str(Source.Type(t).label) for t in askers() if t in Source.Type.values)
        raise Invalid(
            f"one of type {source.get_type_display()} cannot be asked; these can: {there}", "source"
        )


def _make(_: Actor, data: dict[str, Any]) -> Connection:
    _checked(data["source"])
    made = Connection.objects.create(**data)
    schedule(made)
    return made


def _change(_: Actor, connection: Connection, data: dict[str, Any]) -> Connection:
    for name, value in data.items():
        setattr(connection, name, value)
    _checked(connection.source)
    connection.save()
    schedule(connection)
    return connection


READ = Action(
    "read-now", "Read now", read_now, fields=ReadSerializer, scope=Scope.ADMIN,
    offered=lambda source: hasattr(source, "connection"),
)  # fmt: skip
plain(
    Connection, "connection", "connections", "source address every_hours", search=("source__name", "address"),
    ordering=("source__name", "id"), create=_make, change=_change, read_scope=Scope.ADMIN, write_scope=Scope.ADMIN,
)  # fmt: skip
