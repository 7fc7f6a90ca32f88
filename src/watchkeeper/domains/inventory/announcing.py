"""Tells running analysis what a person has said about items and relations, through the journal like any discovery.
What is removed it learns at its next start."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from watchkeeper.domains.inventory import models
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind

_CHUNK = 1000  # items in an entry of the journal


class _Announcement:
    """What this transaction has to tell; told once it is committed, all together."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.relations: list[models.Relation] = []

    def __call__(self) -> None:
        for start in range(0, len(self.ids), _CHUNK):
            _append(self.ids[start : start + _CHUNK], [])
        for start in range(0, len(self.relations), _CHUNK):
            _append([], self.relations[start : start + _CHUNK])


def announce(
    item_ids: Iterable[str],
    relations: Iterable[models.Relation] = (),
    *,
    ended: Iterable[models.Relation] = (),
) -> None:
    """Once this transaction is committed. Without a journal, or when it is full, analysis learns it at its start."""
    if ports.journal is None:
        return
    # An import calls this for every row: one announcement tells them all. What an inner savepoint takes back is
    # not there any more when it is told.
    waiting = connection.run_on_commit[-1][1] if connection.run_on_commit else None
    if not isinstance(waiting, _Announcement):
        waiting = _Announcement()
        transaction.on_commit(waiting, robust=True)
    waiting.ids += item_ids
    waiting.relations += relations


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
