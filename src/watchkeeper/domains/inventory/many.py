"""Many new items at once, made ready before they are written: what `declaring.make` and the hook of items do one by one,
for rows that depend on no other. Names are looked up for all of them together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from watchkeeper.domains.inventory.announcing import announce
from watchkeeper.domains.inventory.declaring import ORIGIN
from watchkeeper.domains.inventory.models import Declared, Identifier, Item, Relation
from watchkeeper.kernel.acting import Actor

Names = list[tuple[str, str]]
Made = tuple[Item, Names, list[Relation]]


class ManyItems:
    """See kernel.bulk.Many; of one import."""

    def __init__(self, make: Callable[[Actor, dict[str, Any]], Made | None]) -> None:
        """`make` gives a record that is not saved, its names and its relations; None for one that has to go alone."""
        self._make = make
        self._taken = set[tuple[str, str]]()  # names of the rows before
        self._relations: dict[str, list[Relation]] = {}

    def ready(self, actor: Actor, rows: Sequence[dict[str, Any]]) -> list[tuple[Model, ...] | None]:
        """In one query, however many rows."""
        made = [self._make(actor, dict(row)) for row in rows]
        values = {value for m in made if m for _, value in m[1]}
        known = Identifier.objects.filter(value__in=values, valid_to=None).values_list("scheme", "value")
        self._taken.update(known)
        return [self._whole(m) if m and self._free(m[1]) else None for m in made]

    def _free(self, names: Names) -> bool:
        free = self._taken.isdisjoint(names)
        self._taken.update(names)
        return free

    def _whole(self, made: Made) -> tuple[Model, ...]:
        record, names, relations = made
        self._relations[record.pk] = relations
        known = (
            Identifier(item_id=record.pk, scheme=s, value=v, position=n, valid_from=record.first_seen_at)
            for n, (s, v) in enumerate(names)
        )
        return record, *known, *relations

    def written(self, records: Sequence[Model]) -> None:
        """Tell analysis."""
        announce([r.pk for r in records], [x for r in records for x in self._relations.pop(r.pk)])


def plain(actor: Actor, data: dict[str, Any]) -> Made:
    """An item without a record of its own."""
    now = timezone.now()
    names = [(x["scheme"].lower(), x["value"].lower()) for x in data.pop("identifiers", [])]
    item = Item(
        id=str(uuid.uuid4()),
        discovered=False,
        source=actor.name[:128],
        first_seen_at=now,
        last_seen_at=now,
        **data,
    )
    return item, list(dict.fromkeys(names)), []


def declared(actor: Actor, model: type[Declared], data: dict[str, Any]) -> Made | None:
    """A record of a declared kind, whose names and relations are its own."""
    now = timezone.now()
    names = [(x["scheme"].lower(), x["value"].lower()) for x in data.pop("identifiers", [])]
    record = model(**data, discovered=False, source=actor.name[:128], first_seen_at=now, last_seen_at=now)
    if record.looks_around():
        return None
    try:
        record.clean()
        record.complete()
    except ValidationError:
        return None  # the hook says what is wrong
    record.item_id = record.id  # as saving sets it; from now on it has a key
    claims, edges = list(record.claims()), list(record.edges())
    if any(item != record.pk for item, _ in claims) or any(record.pk not in edge[:2] for edge in edges):
        return None
    relations = [
        Relation(
            source_id=s,
            target_id=t,
            kind=k.value,
            origin=ORIGIN,
            observed=False,
            valid_from=now,
            last_seen_at=now,
        )
        for s, t, k in dict.fromkeys(edges)
    ]
    return record, list(dict.fromkeys([*((x.scheme, x.value) for _, x in claims), *names])), relations
