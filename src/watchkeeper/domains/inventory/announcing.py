"""Tells running analysis what a person has said about items and relations, through the journal like any discovery:
also what they have merged, told apart, removed and ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from watchkeeper.domains.inventory import models
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import PERSON, Discovery, Identifier, Item, Relation, RelationKind

_CHUNK = 1000  # items in an entry of the journal


class _Announcement:
    """What this transaction has to tell; told once it is committed, all together."""

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}
        self.relations: list[models.Relation] = []
        self.ended: list[models.Relation] = []
        self.removed: dict[str, None] = {}
        self.merged: dict[str, str] = {}
        self.alerts: dict[str, str] = {}

    def __call__(self) -> None:
        ended = tuple(_ended(self.ended))
        if self.removed or self.merged or ended or self.alerts:
            first = list(self.ids)[:_CHUNK]
            _append(first, self.relations[:_CHUNK], merged=self.merged, removed=tuple(self.removed), ended=ended,
                    alerts=self.alerts)  # fmt: skip
        ids = list(self.ids)
        for start in range(0, len(ids), _CHUNK):
            _append(ids[start : start + _CHUNK], [])
        for start in range(0, len(self.relations), _CHUNK):
            _append([], self.relations[start : start + _CHUNK])


def announce(
    item_ids: Iterable[str] = (),
    relations: Iterable[models.Relation] = (),
    *,
    ended: Iterable[models.Relation] = (),
    removed: Iterable[str] = (),
    merged: Mapping[str, str] | None = None,
    alerts: Mapping[str, str] | None = None,
) -> None:
    """Once this transaction is committed. `merged`: item → what it has become part of; `alerts`: fingerprint → the item
    that it belongs to again. Without a journal, or when it is full, analysis learns it at its start."""
    if ports.journal is None:
        return
    # An import calls this for every row: one announcement tells them all. What an inner savepoint takes back is
    # not there any more when it is told.
    waiting = connection.run_on_commit[-1][1] if connection.run_on_commit else None
    if not isinstance(waiting, _Announcement):
        waiting = _Announcement()
        transaction.on_commit(waiting, robust=True)
    waiting.ids |= dict.fromkeys(item_ids)
    waiting.relations += relations
    waiting.ended += ended
    waiting.removed |= dict.fromkeys(removed)
    waiting.merged |= merged or {}
    waiting.alerts |= alerts or {}


@receiver(post_delete, sender=models.Item)
def _deleted(instance: models.Item, **_: Any) -> None:
    announce(removed=[instance.pk])


def _ended(relations: Iterable[models.Relation]) -> Iterable[Relation]:
    """Those that nobody else says either."""
    for r in relations:
        same = models.Relation.objects.filter(
            source=r.source_id, target=r.target_id, kind=r.kind, observed=r.observed, valid_to=None
        )
        if r.observed:
            same = same.filter(origin=r.origin)
        if not same.exists():
            yield Relation(r.source_id, r.target_id, RelationKind(r.kind), r.origin if r.observed else "")


def _append(ids: list[str], relations: list[models.Relation], **more: Any) -> None:
    now_ms = milliseconds(timezone.now())
    found = Discovery(
        now_ms,
        PERSON,
        tuple(_item(i) for i in models.Item.objects.filter(pk__in=ids).prefetch_related("identifiers")),
        tuple(
            Relation(r.source_id, r.target_id, RelationKind(r.kind), r.origin if r.observed else "")
            for r in relations
        ),
        **more,
    )
    row = {"time_ms": now_ms, "origin": found.origin, "document": msgspec.json.encode(found)}
    ports.the_journal().append([(Stream.DISCOVERIES, batch(Stream.DISCOVERIES, [row]))])


def _item(i: models.Item) -> Item:
    names = tuple(Identifier(x.scheme, x.value) for x in i.identifiers.all() if x.valid_to is None)
    return Item(i.pk, i.kind, i.name, names, i.discovered, i.source, i.attributes)


def relations_at(item_ids: Iterable[str]) -> list[models.Relation]:
    """Those that hold at either end of these items."""
    ids = list(item_ids)
    return list(models.Relation.objects.filter(Q(source__in=ids) | Q(target__in=ids), valid_to=None))
