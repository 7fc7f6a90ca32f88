"""Sources, precedence and what each source says, declared; and what a source is asked to do: take over a file."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.applying import Applied, apply
from watchkeeper.domains.inventory.connecting import READ
from watchkeeper.domains.inventory.drafts import Act, Step
from watchkeeper.domains.inventory.importers import importers
from watchkeeper.domains.inventory.models.sources import PEOPLE
from watchkeeper.domains.inventory.planning import Plan, plan
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry

MOST_STEPS = 1000  # of a plan as the API shows it


class ImportSerializer(serializers.Serializer[Any]):
    """A file of a source, as text, and what shall be done with it."""

    format = serializers.CharField(help_text="the name of an importer, such as csv, json or yaml")
    content = serializers.CharField(help_text="the file", trim_whitespace=False)
    dry_run = serializers.BooleanField(default=True, help_text="only say what would be done")
    whole = serializers.BooleanField(
        required=False, allow_null=True, default=None,
        help_text="the file is all that the source knows: what it does not name is gone there",
    )  # fmt: skip
    confirmed = serializers.BooleanField(default=False, help_text="also when it names far less than before")


def planned(source: m.Source, written: str, data: bytes, whole: bool | None = None, **more: Any) -> Plan:
    """What taking over this file would come to. Raises Invalid for a format that is none, Malformed for the file."""
    found = importers().get(written)
    if found is None:
        raise Invalid(f"{written!r} is none; there are: {', '.join(importers())}", "format")
    if source.name == PEOPLE:
        raise Invalid("people enter what they know; make a source for the file")
    return plan(source, found.read(data), whole=found.whole if whole is None else whole, **more)


def told(made: Plan, done: Applied | None = None) -> dict[str, Any]:
    """A plan, and what was done of it, as plain data; what changes nothing is only counted."""
    steps = [s for s in made.steps if s.act is not Act.SAME]
    out: dict[str, Any] = {
        "source": made.source.name, "applied": done is not None, "counts": made.counts, "doubt": made.doubt,
        "steps": [_step(s) for s in steps[:MOST_STEPS]], "more": max(0, len(steps) - MOST_STEPS),
    }  # fmt: skip
    if done is not None:
        out |= {
            "done": dict(done.counts), "conflicts": [_step(s) for s in done.conflicts],
            "meanwhile": [_step(s) for s in done.meanwhile],
        }  # fmt: skip
    return out


def _step(s: Step) -> dict[str, Any]:
    values = {n: {"before": b, "after": a} for n, (b, a) in s.values.items()}
    return {
        "act": s.act.value, "key": s.key, "kind": s.kind, "name": s.name, "item": s.item, "values": values,
        "because": list(s.because),
    }  # fmt: skip


def _import(actor: Actor, source: m.Source, data: dict[str, Any]) -> Done:
    made = planned(source, data["format"], data["content"].encode(), data["whole"])
    done = None if data["dry_run"] else apply(made, actor, confirmed=data["confirmed"])
    return Done(body=told(made, done))


_import.journaled = True  # type: ignore[attr-defined]  # it has many short transactions of its own, and audits itself


def _remove(_: Actor, source: m.Source) -> None:
    """What it said goes with it; the items stay as they are."""
    if source.name == PEOPLE:
        raise Refused("what people enter stays a source")
    source.delete()


plain(
    m.Source, "source", "sources", "name type rank last_read_at named orphans", ordering=("rank", "id"), search=("name",),
    policy_attributes=("name", "type"), shown_only=("last_read_at", "named"), remove=_remove,
    related={"precedence": lambda s: s.precedence.all(), "statements": lambda s: s.statements.all()},
    actions=(Action("import", "Import a file", _import, fields=ImportSerializer, audited=False,
                    offered=lambda s: s.name != PEOPLE), READ),
)  # fmt: skip
plain(
    m.Precedence, "precedence", "precedence", "kind attribute source rank", ordering=("kind", "id"),
    search=("kind", "attribute", "source__name"),
)  # fmt: skip
registry.add(
    Resource(
        model=m.Statement,
        path="statements",
        name="statement",
        description="What each source says of an item, beside what is shown.",
        fields=(
            "id",
            "source",
            "item",
            "key",
            "values",
            "identifiers",
            "first_seen_at",
            "last_seen_at",
            "stale_since",
        ),
        columns=(
            Column("item", link=True),
            Column("source"),
            Column("key", "Its key there"),
            Column("last_seen_at", "Last seen", Show.TIME),
            Column("stale_since", "Not named since", Show.TIME),
        ),
        filters={
            "source": ["exact"],
            "item": ["exact"],
            "key": ["exact"],
            "stale_since": ["isnull"],
            "last_seen_at": ["gte", "lt"],
        },
        search=("key", "item__name"),
        ordering=("-id",),
        orderable=("last_seen_at",),
        prepare=lambda found: found.select_related("item", "source"),
    )
)
