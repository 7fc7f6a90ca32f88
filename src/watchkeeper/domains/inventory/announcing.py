"""Tells running analysis what a person has said about items and relations, through the journal like any discovery.
What is removed it learns at its next start."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.inventory import models
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind


def announce(item_ids: Iterable[str], relations: Iterable[models.Relation] = ()) -> None:
    """Once this transaction is committed. Without a journal, or when it is full, analysis learns it at its start."""
    ids, edges = list(item_ids), list(relations)
    if ports.journal is not None:
        transaction.on_commit(lambda: _append(ids, edges), robust=True)


def _append(ids: list[str], relations: list[models.Relation]) -> None:
    now_ms = milliseconds(timezone.now())
    found = Discovery(
        now_ms,
        "person",
        tuple(_item(i) for i in models.Item.objects.filter(pk__in=ids).prefetch_related("identifiers")),
        tuple(Relation(r.source_id, r.target_id, RelationKind(r.kind)) for r in relations),
    )
    row = {"time_ms": now_ms, "origin": found.origin, "document": msgspec.json.encode(found)}
    ports.the_journal().append([(Stream.DISCOVERIES, batch(Stream.DISCOVERIES, [row]))])


def _item(i: models.Item) -> Item:
    names = tuple(Identifier(x.scheme, x.value) for x in i.identifiers.all() if x.valid_to is None)
    return Item(i.pk, i.kind, i.name, names, i.discovered, i.source, i.attributes)
