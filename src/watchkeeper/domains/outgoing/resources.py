"""The outbox and its deliveries, declared: to be read; what was given up can be tried again."""

from __future__ import annotations

from typing import Any

from watchkeeper.kernel import outbox
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.models import Delivery, OutboxRow
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry


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
