"""Writes what pollers and signals have shown to exist. What a person has set stays; an identifier that turns up
at another item has moved there; a relation that is not shown any more closes after a while."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from watchkeeper.domains.inventory import models
from watchkeeper.domains.inventory.believing import ranks as ranks_now
from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.merging import became
from watchkeeper.domains.inventory.precedence import Said
from watchkeeper.kernel.fields import document, moment, storable
from watchkeeper.kernel.upserts import upsert, when
from watchkeeper.model.topology import PERSON, Discovery, Item, Relation

_log = logging.getLogger(__name__)
SEEN = "seen"  # the origin of discoveries that say only that what is known is still there


def write_discoveries(found: Sequence[Discovery], now_ms: int) -> None:
    """Write items, identifiers and relations, in the caller's transaction; later ones overrule earlier ones.

    A relation to an item that nobody has described is left out, and logged; one without origin is a person's
    and has been written by what the person did."""
    items = {i.id: i for d in found for i in d.items}
    edges = [r for d in found for r in d.relations if r.origin]
    again = {i.id for d in found if d.origin == SEEN for i in d.items}
    by = {i.id: d.origin for d in found if d.origin not in (SEEN, PERSON) for i in d.items}
    now_is = became({*items, *(e for r in edges for e in (r.source, r.target))})
    # Analysis may not know yet that an item has become part of another, or is no more.
    items = {i: item for i, item in items.items() if i not in now_is}
    for i in _missing(again & items.keys()):
        del items[i]
    _items(items, by, again, now_ms)
    _identifiers(items, now_ms)
    ends = ((now_is.get(r.source, r.source), now_is.get(r.target, r.target), r) for r in edges)
    said = (Relation(s, t, r.kind, r.origin) for s, t, r in ends if s != t or r.source == r.target)
    _relations({(r.source, r.target, r.kind, r.origin): r for r in said}, items, now_ms)


def _missing(ids: set[str]) -> set[str]:
    """Those that are not there."""
    there: set[str] = set()
    for part in chunks(ids):
        there |= set(models.Item.objects.filter(pk__in=part).values_list("pk", flat=True))
    return ids - there


def _items(items: dict[str, Item], by: dict[str, str], again: set[str], now_ms: int) -> None:
    if not items:
        return
    known: dict[str, tuple[Any, ...]] = {}
    for part in chunks(items):
        there = models.Item.objects.filter(pk__in=part)
        columns = ("name", "kind", "discovered", "attributes")
        known |= {pk: tuple(rest) for pk, *rest in there.values_list("pk", *columns)}
    now = when(now_ms)
    rows: list[tuple[Any, ...]] = []
    words = _Words(items, by)
    words.read()
    for i in items.values():
        name, kind, discovered, attributes = storable(i.name)[:255], i.kind[:64], i.discovered, i.attributes
        if i.id in known:
            old_name, old_kind, old_discovered, old_attributes = known[i.id]
            if not old_discovered:
                name, kind, discovered = old_name, old_kind, False
            attributes = {**old_attributes, **words.counting(i)}
        rows.append((i.id, kind, "", name, discovered, i.source[:128], document(attributes), now, now, None))
    changed = ("kind", "name", "discovered", "source", "attributes", "last_seen_at")
    upsert(models.Item, rows, update=changed)
    words.write(again, now_ms)


class _Words:
    """What was discovered, kept as the word of who discovered it, beside what others say of the same items."""

    def __init__(self, items: dict[str, Item], by: dict[str, str]) -> None:
        self._items, self._by = items, {i: storable(o)[:64] for i, o in by.items() if i in items and o}
        self._sources = _sources(set(self._by.values()))
        self._mine: dict[str, models.Statement] = {}
        self._others: dict[str, list[models.Statement]] = {}
        self._ranks = ranks_now()

    def read(self) -> None:
        """What is kept so far."""
        for part in chunks(self._items):
            for s in models.Statement.objects.filter(item__in=part).select_related("item"):
                if s.source_id == self._source(s.item_id) and s.key == s.item_id:
                    self._mine[s.item_id] = s
                else:
                    self._others.setdefault(s.item_id, []).append(s)

    def _source(self, item: str) -> int:
        return self._sources.get(self._by.get(item, ""), 0)

    def counting(self, i: Item) -> dict[str, Any]:
        """The discovered attributes that count: those that nobody who is believed more says otherwise."""
        others = self._others.get(i.id)
        if not others:
            return i.attributes
        kind = others[0].item.declared or others[0].item.kind
        words = [Said(s.source_id, s.values, s.stale_since is None) for s in others]
        best = self._ranks.winners(kind, [*words, Said(self._source(i.id), i.attributes)])
        return {n: v for n, v in i.attributes.items() if best[n][0] == v}

    def _own(self, i: Item) -> dict[str, Any]:
        """What the discoverer says: analysis has joined it with what it knew from others."""
        before = self._mine[i.id].values if i.id in self._mine else {}
        others = [s.values for s in self._others.get(i.id, ())]
        own = {n: v for n, v in i.attributes.items() if n in before or not any(o.get(n) == v for o in others)}
        return {"name": storable(i.name)[:255], **own} if i.discovered else own

    def write(self, again: set[str], now_ms: int) -> None:
        """Keep it, now that the items are there; those seen `again` are still named by who discovered them."""
        now = when(now_ms)
        rows = [
            (self._source(i), i, i, document(self._own(self._items[i])), "[]", "[]", now, now, None)
            for i in self._by
        ]
        upsert(
            models.Statement, rows, key=("source_id", "key"), update=("values", "last_seen_at", "stale_since")
        )
        seen: dict[str, list[str]] = {}
        for i in again & self._items.keys():
            seen.setdefault(self._items[i].source, []).append(i)
        for name, ids in seen.items():
            for part in chunks(ids):
                still = models.Statement.objects.filter(key__in=part, source__name=name)
                still.update(last_seen_at=moment(now_ms), stale_since=None)


def _sources(names: set[str]) -> dict[str, int]:
    """Who discovers, by name; a new one becomes a source."""
    found = dict(models.Source.objects.filter(name__in=names).values_list("name", "pk"))
    for name in names - found.keys():
        kind = models.Source.Type.POLLER if name == "host" else models.Source.Type.SIGNALS
        rank = 40 if kind == models.Source.Type.POLLER else 60
        found[name] = models.Source.objects.get_or_create(name=name, defaults={"type": kind, "rank": rank})[
            0
        ].pk
    return found


def _identifiers(items: dict[str, Item], now_ms: int) -> None:
    claimed: dict[tuple[str, str], tuple[str, int]] = {}
    for i in items.values():
        for n, x in enumerate(i.identifiers):
            claimed[x.scheme[:64], storable(x.value)[:512]] = (i.id, min(n, 32_767))
    if not claimed:
        return
    moved: list[int] = []
    values = {value for _, value in claimed}
    for part in chunks(values):
        rows = models.Identifier.objects.filter(valid_to=None, value__in=part)
        for pk, item, scheme, value in rows.values_list("pk", "item_id", "scheme", "value"):
            claim = claimed.get((scheme, value))
            if claim is None:
                continue
            if claim[0] == item:
                del claimed[scheme, value]
            else:
                moved.append(pk)
    for part in chunks(moved):
        models.Identifier.objects.filter(pk__in=part).update(valid_to=moment(now_ms))
    rows_new = [(i, scheme, value, n, when(now_ms), None) for (scheme, value), (i, n) in claimed.items()]
    upsert(
        models.Identifier, rows_new, key=("scheme", "value"), where="valid_to IS NULL", update=("item_id",)
    )


def _relations(edges: dict[Any, Relation], items: dict[str, Item], now_ms: int) -> None:
    if not edges:
        return
    ends = {e for r in edges.values() for e in (r.source, r.target)}
    there = set(items)
    for part in chunks(ends - there):
        there |= set(models.Item.objects.filter(pk__in=part).values_list("pk", flat=True))
    sound = [r for r in edges.values() if r.source in there and r.target in there]
    if len(sound) < len(edges):
        _log.warning("%d relations name items that nobody has described", len(edges) - len(sound))
    now = when(now_ms)
    upsert(
        models.Relation,
        [(r.source, r.target, r.kind.value, r.origin[:128], True, now, None, now) for r in sound],
        key=("source_id", "target_id", "kind", "origin"),
        where="valid_to IS NULL",
        update=("last_seen_at",),
    )


def close_stale(now_ms: int, hold_ms: int) -> int:
    """Close observed relations that were last shown more than `hold_ms` ago; how many there were."""
    stale = models.Relation.objects.filter(
        valid_to=None, observed=True, last_seen_at__lt=moment(max(1, now_ms - hold_ms))
    )
    return stale.update(valid_to=moment(now_ms))
