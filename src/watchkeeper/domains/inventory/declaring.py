"""Makes and changes records of the declared kinds, and keeps the graph in step with their fields: identifiers and
relations that follow from a field come, move and end with it. In the caller's transaction.

A new record that bears the name of an item which discovery found becomes that item's record: the same id, so that
its alerts, charts and relations stay with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.inventory.announcing import announce
from watchkeeper.domains.inventory.models import Declared, Identifier, Item, Relation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.model.topology import Identifier as Name
from watchkeeper.model.topology import RelationKind

ORIGIN = "record"  # of relations that follow from a record's fields
MOST_WHOLES = 1000  # around a part, in all
_ONE_WHOLE = (RelationKind.CONTAINS,)

Edge = tuple[str, str, str]  # source, kind, target


def make(actor: Actor, model: type[Declared], data: dict[str, Any]) -> Declared:
    """A new record, in the graph. Raises ValidationError (naming the field), Invalid or Refused."""
    names = [Name(x["scheme"].lower(), x["value"].lower()) for x in data.pop("identifiers", [])]
    record = model(**data, discovered=False, source=actor.name[:128])
    now = timezone.now()
    record.first_seen_at = record.last_seen_at = now
    checked(record)
    record.complete()
    record.item_id = record.id  # as saving sets it; from now on it has a key
    own = (*names, *(x for key, x in record.claims() if key == record.pk))
    known = _known((*own, *(x for _, x in record.claims())))
    found = _found(known[x] for x in own if x in known)
    if found is not None:
        _take_over(record, found)
    record.save(force_insert=(type(record),) if found else (Item,))
    _open_names(dict.fromkeys((*record.claims(), *((record.pk, x) for x in names))), known)
    announce(
        [record.pk, *(item for item, _ in record.claims())],
        _relate(record, _current(record) if found else []),
    )
    return record


def change(record: Declared, data: dict[str, Any]) -> Declared:
    """The record with these values, and the graph with it. Raises as `make`."""
    data.pop("identifiers", None)
    before = list(record.claims())
    for name, value in data.items():
        setattr(record, name, value)
    record.discovered = False
    checked(record)
    record.save()
    claims = dict.fromkeys(record.claims())
    _close_names(set(before) - set(claims))
    _open_names(claims, _known(x for _, x in claims))
    # a record may be another's name: a machine is known by an address
    announce([record.pk, *(item for item, _ in (*before, *claims))], _relate(record, _current(record)))
    return record


def checked(record: Declared) -> None:
    """What a kind's own `clean` says, as an error that names the field."""
    try:
        record.clean()
    except ValidationError as error:
        raise serializers.ValidationError(serializers.as_serializer_error(error)) from error


def _known(names: Iterable[Name]) -> dict[Name, Identifier]:
    """Who is known by these names now."""
    asked = set(names)
    rows = Identifier.objects.filter(
        scheme__in={x.scheme for x in asked}, value__in={x.value for x in asked}, valid_to=None
    ).select_related("item")
    return {x: row for row in rows if (x := Name(row.scheme, row.value)) in asked}


def _found(known: Iterable[Identifier]) -> Item | None:
    """The item that discovery has made of what is known by these names. Raises Refused when it has a record."""
    for row in known:
        if row.item.declared or not row.item.discovered:
            raise Refused(f"{row.item.name} is known as {row.scheme}={row.value} already")
        return row.item
    return None


def _take_over(record: Declared, item: Item) -> None:
    """Make it the record of this item: what was seen of it stays."""
    record.pk = record.id = item.pk
    record.first_seen_at, record.last_seen_at = item.first_seen_at, item.last_seen_at
    record.attributes = {**item.attributes, **record.attributes}
    record._state.adding = True


# --- the graph --------------------------------------------------------------------------------------------------
def _close_names(gone: Iterable[tuple[str, Name]]) -> None:
    for item, x in gone:
        current = Identifier.objects.filter(item=item, scheme=x.scheme, value=x.value, valid_to=None)
        current.update(valid_to=timezone.now())


def _open_names(claims: dict[tuple[str, Name], None], known: dict[Name, Identifier]) -> None:
    """Items are known by these names from now on. Raises Refused for one by which another record is known."""
    now, new = timezone.now(), []
    for n, (item, x) in enumerate(claims):
        row = known.get(x)
        if row is not None and row.item_id == item:
            continue
        if row is not None and row.item.declared:
            raise Refused(f"{row.item.name} is known as {x.scheme}={x.value} already")
        if row is not None:
            Identifier.objects.filter(pk=row.pk).update(valid_to=now)
        new.append(Identifier(item_id=item, scheme=x.scheme, value=x.value, position=n, valid_from=now))
    Identifier.objects.bulk_create(new)


def _current(record: Declared) -> list[Relation]:
    return list(Relation.objects.filter(_of(record), origin=ORIGIN, valid_to=None))


def _of(record: Declared) -> Q:
    """Relations that are this record's to keep: those at either end of it that its own fields can name."""
    kinds = {(e.kind, e.inverse) for e in record.EDGES.values()}
    mine = Q(pk__in=())
    for kind, inverse in kinds:
        mine |= Q(kind=kind, target=record.pk) if inverse else Q(kind=kind, source=record.pk)
    return mine


def _relate(record: Declared, current: list[Relation]) -> list[Relation]:
    """Open the relations that the fields name, end those of `current` that they name no more; those that hold then.
    Raises Invalid for a whole that would be inside its own part."""
    wanted: dict[Edge, None] = {(s, k.value, t): None for s, t, k in record.edges()}
    now, kept = timezone.now(), []
    for r in current:
        if (edge := (r.source_id, r.kind, r.target_id)) in wanted:
            del wanted[edge]
            kept.append(r)
        else:
            Relation.objects.filter(pk=r.pk).update(valid_to=now)
            announce(ended=[r])
    for whole, kind, part in wanted:
        if kind in _ONE_WHOLE:
            refuse_cycle(whole, part, field_of(record, whole, part))
    return [*kept, *begin(wanted, ORIGIN, now)]


def begin(edges: Iterable[Edge], origin: str, now: dt.datetime) -> list[Relation]:
    """These relations hold from now on, unless they do already."""
    rows = [
        Relation(
            source_id=s, kind=k, target_id=t, origin=origin, observed=False, valid_from=now, last_seen_at=now
        )
        for s, k, t in edges
    ]
    Relation.objects.bulk_create(rows, ignore_conflicts=True)
    return rows


def field_of(record: Declared, source: str, target: str) -> str:
    """The field of this record that says the relation."""
    other = source if target == record.pk else target
    return next((name for name in record.EDGES if getattr(record, f"{name}_id") == other), "")


def refuse_cycle(whole: str, part: str, field: str) -> None:
    """Raises Invalid, naming the field that says so, when the whole is inside the part already, or is the part."""
    seen, edge = set[str](), {whole}
    while edge:
        if part in edge or len(seen) > MOST_WHOLES:
            raise Invalid("what contains it would be inside it: containment goes round in a circle", field)
        seen |= edge
        above = Relation.objects.filter(target__in=edge, kind=RelationKind.CONTAINS, valid_to=None)
        edge = set(above.values_list("source_id", flat=True)) - seen
