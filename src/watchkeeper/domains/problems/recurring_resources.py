"""Situations that come again and again, declared."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.problems.making import ProblemOf, of_recurring
from watchkeeper.domains.problems.models import Recurring
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry


def _dismiss(_: Actor, found: Recurring, __: dict[str, Any]) -> Done:
    found.status = Recurring.State.DISMISSED
    found.save(update_fields=["status"])
    return Done()


def _back(_: Actor, found: Recurring, __: dict[str, Any]) -> Done:
    found.status = Recurring.State.OPEN
    found.save(update_fields=["status"])
    return Done()


registry.add(
    Resource(
        model=Recurring,
        path="recurring-situations",
        name="recurring situation",
        description="Situations of the last 30 days that are alike: perhaps one problem is behind them.",
        fields=("id", "title", "count", "likeness", "because", "status", "problem", "situations", "found_at", "last_at"),
        columns=(
            Column("title", link=True),
            Column("count", "Times in 30 days", Show.COUNT),
            Column("status", "State", Show.STATE),
            Column("problem"),
            Column("last_at", "Last one", Show.TIME),
        ),
        filters={"status": ["exact", "in"], "problem": ["exact", "isnull"], "count": ["gte", "lte"],
                 "last_at": ["gte", "lte"], "situations": ["exact"]},
        search=("title",),
        ordering=("-count", "-id"),
        orderable=("title", "last_at", "found_at"),
        prepare=lambda found: found.select_related("problem").prefetch_related("situations"),
        default_filters={"status": Recurring.State.OPEN.value},
        related={"situations": lambda found: found.situations.all()},
        actions=(
            Action("make-problem", "Make a problem of these…", of_recurring, ProblemOf,
                   offered=lambda r: r.status == Recurring.State.OPEN),
            Action("dismiss", "Dismiss", _dismiss, offered=lambda r: r.status == Recurring.State.OPEN, bulk=True,
                   confirm="It stays dismissed, also when more of its kind come."),
            Action("offer-again", "Offer it again", _back, offered=lambda r: r.status == Recurring.State.DISMISSED),
        ),
    )
)  # fmt: skip
