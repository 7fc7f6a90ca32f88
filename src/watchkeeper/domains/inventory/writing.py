"""Writes what drafts say, many at once and in the caller's transaction: records in both their tables, names, relations,
what each source says, and the audit trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models.constants import OnConflict

from watchkeeper.domains.inventory.announcing import announce
from watchkeeper.domains.inventory.declaring import ORIGIN, begin, field_of, refuse_cycle
from watchkeeper.domains.inventory.drafts import Act, Draft
from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.models import Declared, Identifier, Item, Relation, Source, Statement
from watchkeeper.domains.inventory.relating import Change, Edge, origin_of
from watchkeeper.kernel import audit, doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.resource import registry
from watchkeeper.model.topology import Identifier as Name
from watchkeeper.model.topology import RelationKind

_OF_ITEM = ("kind", "declared", "name", "discovered", "attributes", "last_seen_at", "stale_since")


def write(drafts: Sequence[Draft], source: Source, people: Source, actor: Actor, now: dt.datetime) -> None:
    """Everything of these drafts but their relations. Raises IntegrityError when one clashes with another record."""
    changed = [d for d in drafts if d.step.act in (Act.CREATE, Act.CHANGE)]
    before = {d.step.item: audit.state_of(d.before) for d in changed if d.before is not None}
    _records([d for d in changed if d.step.values or d.before is None or _other_kind(d)], source, now)
    _close(changed, now)
    give([name for d in changed for name in d.opened], now)
    _edges(changed, now)
    _statements(changed, source, people, now)
    same = [d.statement.pk for d in drafts if d.step.act is Act.SAME and d.statement is not None]
    Statement.objects.filter(pk__in=same).update(last_seen_at=now)
    Item.objects.filter(pk__in=[d.step.item for d in drafts]).update(last_seen_at=now, stale_since=None)
    with audit.together():
        for d in changed:
            act = "create" if d.step.act is Act.CREATE else "change"
            audit.record(
                actor,
                verb(d.after, act),
                d.after,
                before=before.get(d.step.item),
                after=audit.state_of(d.after),
            )
    announce([d.step.item for d in changed])


def verb(record: Item, act: str) -> str:
    """An act's name in the audit trail."""
    return doing.verb(registry[record.declared or "items"], act)


def _other_kind(d: Draft) -> bool:
    return type(d.before) is not type(d.after)


def _records(drafts: Sequence[Draft], source: Source, now: dt.datetime) -> None:
    """Rows of the table of all items, then those of each kind."""
    items, kinds = [], dict[type[Declared], list[Declared]]()
    for d in drafts:
        record = d.after
        record.last_seen_at = now
        if d.before is None:
            record.first_seen_at, record.source = now, source.name
        columns = {f.attname: getattr(record, f.attname) for f in Item._meta.concrete_fields}
        items.append(Item(**columns))
        if isinstance(record, Declared):
            record.item_id = record.id
            kinds.setdefault(type(record), []).append(record)
    Item.objects.bulk_create(items, update_conflicts=True, update_fields=_OF_ITEM, unique_fields=["id"])
    for model, records in kinds.items():
        fields = model._meta.local_concrete_fields
        key, rest = model._meta.pk, [f for f in fields if not f.primary_key]
        # Django's bulk_create does not take a kind whose row has a parent.
        model._base_manager._insert(  # type: ignore[attr-defined]
            records, fields=fields, using="default",
            on_conflict=OnConflict.UPDATE if rest else OnConflict.IGNORE, update_fields=rest, unique_fields=[key],
        )  # fmt: skip


def _close(drafts: Iterable[Draft], now: dt.datetime) -> None:
    gone = {(i, x.scheme, x.value) for d in drafts for i, x in d.closed}
    for part in chunks({i for i, _, _ in gone}):
        rows = Identifier.objects.filter(item__in=part, valid_to=None)
        dead = [pk for pk, *x in rows.values_list("pk", "item_id", "scheme", "value") if tuple(x) in gone]
        Identifier.objects.filter(pk__in=dead).update(valid_to=now)


def give(names: Sequence[tuple[str, Name]], now: dt.datetime) -> None:
    """Items are known by these names from now on, unless others are."""
    rows = [
        Identifier(item_id=i, scheme=x.scheme, value=x.value, position=min(n, 32_767), valid_from=now)
        for n, (i, x) in enumerate(names)
    ]
    Identifier.objects.bulk_create(rows, ignore_conflicts=True)
    announce({i for i, _ in names})


def _edges(drafts: Iterable[Draft], now: dt.datetime) -> None:
    """Relations that follow from fields."""
    opened: list[Edge] = []
    closed: list[Edge] = []
    for d in drafts:
        had, has = _of_fields(d.before), _of_fields(d.after)
        closed += had - has
        for edge in has - had:
            if d.before is not None and edge[1] == RelationKind.CONTAINS:
                refuse_cycle(edge[0], edge[2], field_of(d.after, edge[0], edge[2]))
            opened.append(edge)
    end(closed, ORIGIN, now)
    begin(opened, ORIGIN, now)


def _of_fields(record: Any) -> set[Edge]:
    return {(s, k.value, t) for s, t, k in record.edges()} if isinstance(record, Declared) else set()


def end(edges: Iterable[Edge], origin: str, now: dt.datetime) -> None:
    """These relations held until now."""
    gone = set(edges)
    for part in chunks({s for s, _, _ in gone}):
        rows = Relation.objects.filter(source__in=part, origin=origin, valid_to=None)
        dead = [r for r in rows if (r.source_id, r.kind, r.target_id) in gone]
        Relation.objects.filter(pk__in=[r.pk for r in dead]).update(valid_to=now)
        announce([], ended=dead)


def _statements(drafts: Sequence[Draft], source: Source, people: Source, now: dt.datetime) -> None:
    rows = []
    for d in drafts:
        names = [(x.scheme, x.value) for x in d.names]
        edges = d.statement.relations if d.statement else []
        first = d.statement.first_seen_at if d.statement else now
        rows.append(
            _statement(source, d.described.source_key, d.step.item, d.values, names, edges, first, now)
        )
        had = next((s for s in d.others if s.source_id == people.pk), None)
        if d.people and (had is None or had.values != d.people):
            rows.append(_statement(people, d.step.item, d.step.item, d.people, [], [], now, now))
        elif had is not None and not d.people:
            Statement.objects.filter(pk=had.pk).delete()
    Statement.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["source", "key"],
        update_fields=["item", "values", "identifiers", "relations", "last_seen_at", "stale_since"],
    )  # fmt: skip


def _statement(
    source: Source,
    key: str,
    item: str,
    values: Any,
    names: Any,
    edges: Any,
    first: dt.datetime,
    now: dt.datetime,
) -> Statement:
    return Statement(
        source=source, key=key, item_id=item, values=values, identifiers=names, relations=edges,
        first_seen_at=first, last_seen_at=now,
    )  # fmt: skip


def write_relations(changes: Sequence[tuple[Draft, Change]], source: Source, now: dt.datetime) -> None:
    """The relations that a source describes; what contains something cannot be inside it: then they are left out."""
    origin = origin_of(source.name)
    end([e for _, c in changes for e in c.closed], origin, now)
    opened = [e for _, c in changes for e in c.opened]
    for edge in opened:
        if edge[1] == RelationKind.CONTAINS:
            refuse_cycle(edge[0], edge[2], "relations")
    announce([], begin(opened, origin, now))
    keys = [d.described.source_key for d, _ in changes]
    rows = {s.key: s for s in Statement.objects.filter(source=source, key__in=keys)}
    for d, change in changes:
        rows[d.described.source_key].relations = change.edges
    Statement.objects.bulk_update(rows.values(), ["relations"])
