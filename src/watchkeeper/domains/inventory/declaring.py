"""Makes and changes records of the declared kinds, and keeps the graph in step with their fields: identifiers and
relations that follow from a field come, move and end with it. In the caller's transaction.

A new record that bears the name of an item which discovery found becomes that item's record: the same id, so that
its alerts, charts and relations stay with it.
"""

from __future__ import annotations

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

Edge = tuple[str, str, str]


def make(actor: Actor, model: type[Declared], data: dict[str, Any]) -> Declared:
    """A new record, in the graph. Raises ValidationError (naming the field), Invalid or Refused."""
    names = [Name(x["scheme"].lower(), x["value"].lower()) for x in data.pop("identifiers", [])]
    record = model(**data, discovered=False, source=actor.name[:128])
    now = timezone.now()
    record.first_seen_at = record.last_seen_at = now
    checked(record)
    found = _found([*names, *(x for key, x in record.claims() if key == record.pk)])
    if found is not None:
        _take_over(record, found)
    record.save()
    _settle(record, [(record.pk, x) for x in names], before=())
    announce([record.pk], _current(record))
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
    _settle(record, [], before)
    announce([record.pk], _current(record))
    return record


def checked(record: Declared) -> None:
    """What a kind's own `clean` says, as an error that names the field."""
    try:
        record.clean()
    except ValidationError as error:
        raise serializers.ValidationError(serializers.as_serializer_error(error)) from error


def _found(names: Iterable[Name]) -> Item | None:
    """The item that discovery has made of what is known by these names. Raises Refused when it has a record."""
    for x in names:
        known = (
            Identifier.objects.filter(scheme=x.scheme, value=x.value, valid_to=None)
            .select_related("item")
            .first()
        )
        if known is None:
            continue
        if known.item.declared or not known.item.discovered:
            raise Refused(f"{known.item.name} is known as {x.scheme}={x.value} already")
        return known.item
    return None


def _take_over(record: Declared, item: Item) -> None:
    """Make it the record of this item: what was seen of it stays."""
    record.pk = record.id = item.pk
    record.first_seen_at, record.last_seen_at = item.first_seen_at, item.last_seen_at
    record.attributes = {**item.attributes, **record.attributes}
    record._state.adding = True


# --- the graph --------------------------------------------------------------------------------------------------
def _settle(record: Declared, more: Iterable[tuple[str, Name]], before: Iterable[tuple[str, Name]]) -> None:
    claims = dict.fromkeys((*record.claims(), *more))
    _close_names(set(before) - set(claims))
    _open_names(claims)
    _relate(record)


def _close_names(gone: Iterable[tuple[str, Name]]) -> None:
    for item, x in gone:
        current = Identifier.objects.filter(item=item, scheme=x.scheme, value=x.value, valid_to=None)
        current.update(valid_to=timezone.now())


def _open_names(claims: Iterable[tuple[str, Name]]) -> None:
    now = timezone.now()
    for n, (item, x) in enumerate(claims):
        known = (
            Identifier.objects.filter(scheme=x.scheme, value=x.value, valid_to=None)
            .select_related("item")
            .first()
        )
        if known is not None and known.item_id != item:
            if known.item.declared:
                raise Refused(f"{known.item.name} is known as {x.scheme}={x.value} already")
            Identifier.objects.filter(pk=known.pk).update(valid_to=now)
        if known is None or known.item_id != item:
            Identifier.objects.create(
                item_id=item, scheme=x.scheme, value=x.value, position=n, valid_from=now
            )


def _current(record: Declared) -> list[Relation]:
    return list(Relation.objects.filter(_of(record), origin=ORIGIN, valid_to=None))


def _of(record: Declared) -> Q:
    """Relations that are this record's to keep: those at either end of it that its own fields can name."""
    kinds = {(e.kind, e.inverse) for e in record.EDGES.values()}
    mine = Q(pk__in=())
    for kind, inverse in kinds:
        mine |= Q(kind=kind, target=record.pk) if inverse else Q(kind=kind, source=record.pk)
    return mine


def _relate(record: Declared) -> None:
    """Open the relations that the fields name, end those that they name no more. Raises Invalid for a whole that
    would be inside its own part."""
    wanted: dict[Edge, None] = {(s, t, k.value): None for s, t, k in record.edges()}
    now = timezone.now()
    for r in _current(record):
        if (edge := (r.source_id, r.target_id, r.kind)) in wanted:
            del wanted[edge]
        else:
            Relation.objects.filter(pk=r.pk).update(valid_to=now)
            announce(ended=[r])
    for source, target, kind in wanted:
        if kind in _ONE_WHOLE:
            refuse_cycle(source, target, field_of(record, source, target))
        Relation.objects.update_or_create(
            source_id=source, target_id=target, kind=kind, origin=ORIGIN, valid_to=None,
            defaults={"observed": False, "last_seen_at": now}, create_defaults={
                "observed": False, "last_seen_at": now, "valid_from": now,
            },
        )  # fmt: skip


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
