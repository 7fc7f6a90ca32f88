"""Makes two items one, and two of one again. Everything that points at the one that goes is pointed at the one that stays,
and what was done is kept so that it can be undone exactly; what has happened since cannot be told apart, and is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.inventory.announcing import announce, relations_at
from watchkeeper.domains.inventory.models import Duplicate, Identifier, Interface, Item, Merge, Relation
from watchkeeper.domains.inventory.references import (
    Pointer,
    kept,
    named_within,
    pointers,
    pointing_at,
    tables_of,
    write_back,
)
from watchkeeper.domains.inventory.shapes import NAME, shape_for
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry

_NOTHING: tuple[Any, ...] = (None, "", [], {})
Reasons = Sequence[tuple[str, str]]


def record_of(item: Item) -> Any:
    """The record of its own kind that an item has, or itself."""
    model = shape_for(item).model
    return item if model is Item else model._default_manager.get(pk=item.pk)


def stays(first: Item, second: Item) -> Item:
    """Which of two items stays when nobody says: the one with a record, the confirmed one, the older one."""
    return min((first, second), key=lambda i: (not i.declared, i.discovered, i.first_seen_at, i.pk))


def merge(actor: Actor, survivor: Item, gone: Item, because: Reasons = ()) -> Merge:
    """Make `gone` part of `survivor`. Raises Refused for what cannot be one thing."""
    if survivor.pk == gone.pk:
        raise Refused("an item is the same as itself already")
    if gone.declared and survivor.declared != gone.declared:
        other = f"one of the {survivor.declared}" if survivor.declared else "no record of its own"
        raise Refused(f"{gone.name} is one of the {gone.declared} and {survivor.name} {'is ' * bool(survivor.declared)}"
                      f"{'has ' * (not survivor.declared)}{other}: the other way round, or not at all")  # fmt: skip
    with transaction.atomic():
        list(Item.objects.select_for_update().filter(pk__in=[survivor.pk, gone.pk]).order_by("pk"))
        done = _Merging(actor, record_of(survivor), record_of(gone), because)
        done.run()
        touched = {done.survivor.pk, *done.became.values()}
        announce(touched, relations_at(touched), merged=done.became)
    return done.made


class _Merging:
    """One merge, with those of parts that both items have."""

    def __init__(self, actor: Actor, survivor: Any, gone: Any, because: Reasons, within: int = 0) -> None:
        self.actor, self.survivor, self.gone = actor, survivor, gone
        self.became = {gone.pk: survivor.pk}
        self.kept: dict[str, Any] = {
            "tables": [m._meta.label for m in tables_of(gone)], "rows": [kept(gone, m) for m in tables_of(gone)],
            "moved": {}, "dropped": [], "renamed": [], "filled": {}, "not_the_same": [], "inner": [], "within": within,
        }  # fmt: skip
        self.made = Merge.objects.create(
            item_id=survivor.pk, gone=gone.pk, name=gone.name, at=timezone.now(), by=actor.name[:150],
            because=list(because), kept={},
        )  # fmt: skip

    def run(self) -> None:
        """In the order in which nothing stands in the way of what comes after."""
        before = audit.state_of(self.survivor)
        self._pairs()
        twice = list(self._twice())
        self._rename()
        for part_gone, part in twice:
            inner = _Merging(self.actor, record_of(part), record_of(part_gone), (), self.made.pk)
            inner.run()
            self.became |= inner.became
            self.kept["inner"].append(inner.made.pk)
        between = Relation.objects.filter(
            Q(source=self.gone.pk, target=self.survivor.pk) | Q(source=self.survivor.pk, target=self.gone.pk)
        )
        for row in between:
            self._drop(row)
        for pointer in pointing_at(self.gone):
            self._move(pointer)
        for model in reversed(tables_of(self.gone)):
            rows = model._base_manager.filter(pk=self.gone.pk)
            rows._raw_delete(rows.db)
        self._fill()
        self.made.kept = self.kept
        self.made.save(update_fields=["kept"])
        audit.record(
            self.actor, "item.merge", self.survivor, before=before,
            after={**audit.state_of(self.survivor), "merged": f"{self.gone.name} ({self.gone.pk})"},
        )  # fmt: skip

    def _pairs(self) -> None:
        """What was proposed about the one that goes; that it is not the same as a third holds for both now."""
        for pair in Duplicate.objects.filter(Q(first=self.gone.pk) | Q(second=self.gone.pk)):
            other = pair.second_id if pair.first_id == self.gone.pk else pair.first_id
            self._drop(pair)
            if pair.state == Duplicate.State.NOT_THE_SAME and other != self.survivor.pk:
                first, second = sorted((other, self.survivor.pk))
                made, new = Duplicate.objects.get_or_create(
                    first_id=first, second_id=second, defaults={
                        "score": pair.score, "because": pair.because, "state": pair.state, "found_at": pair.found_at,
                        "decided_by": pair.decided_by,
                    },
                )  # fmt: skip
                self.kept["not_the_same"] += [made.pk] * new

    def _twice(self) -> Iterator[tuple[Item, Item]]:
        """Parts that both have, by the same name within them: (the one that goes, the one that stays)."""
        pairs: dict[str, str] = {}
        mine = dict(Interface.objects.filter(owner=self.survivor.pk).values_list("label", "pk"))
        for pk, label in Interface.objects.filter(owner=self.gone.pk).values_list("pk", "label"):
            if label in mine:
                pairs[pk] = mine[label]
        there = {(x.scheme, x.value): x.item_id for x in named_within(self.survivor.pk)}
        for x in named_within(self.gone.pk):
            part = there.get((x.scheme, x.value.replace(self.gone.pk, self.survivor.pk, 1)))
            if part not in (None, x.item_id):
                pairs.setdefault(x.item_id, part)  # type: ignore[arg-type]
        items = Item.objects.in_bulk({*pairs, *pairs.values()})
        for a, b in pairs.items():
            gone, part = items[a], items[b]
            if gone.declared and not part.declared:
                gone, part = part, gone
            if {gone.pk, part.pk}.isdisjoint({self.gone.pk, self.survivor.pk}) and gone.declared in (
                "",
                part.declared,
            ):
                yield gone, part

    def _rename(self) -> None:
        """Names within the one that goes are names within the one that stays."""
        there = set(named_within(self.survivor.pk).values_list("scheme", "value"))
        for x in named_within(self.gone.pk):
            new = x.value.replace(self.gone.pk, self.survivor.pk, 1)
            if (x.scheme, new) in there:
                self._drop(x)
                continue
            self.kept["renamed"].append([x.pk, x.value, new])
            Identifier.objects.filter(pk=x.pk).update(value=new)

    def _drop(self, row: Any) -> None:
        """A row that would say the same twice, or of an item what is only true of two."""
        self.kept["dropped"].append([row._meta.label, kept(row, type(row))])
        type(row)._base_manager.filter(pk=row.pk).delete()

    def _move(self, pointer: Pointer) -> None:
        rows = pointer.rows(self.gone.pk)
        keys = list(rows.values_list("pk", flat=True))
        if not keys:
            return
        try:
            with transaction.atomic():
                rows.update(**{pointer.column: self.survivor.pk})
        except IntegrityError:  # the one that stays has some of these already
            keys = [row.pk for row in rows if self._moved(pointer, row)]
        if keys:
            self.kept["moved"][pointer.label] = keys

    def _moved(self, pointer: Pointer, row: Any) -> bool:
        try:
            with transaction.atomic():
                pointer.model._base_manager.filter(pk=row.pk).update(**{pointer.column: self.survivor.pk})
        except IntegrityError:
            if isinstance(row, Item):
                raise Refused(f"{row.name} stands in the way: merge or remove it first") from None
            self._drop(row)
            return False
        return True

    def _fill(self) -> None:
        """What the one that stays has no value for, it gets from the other."""
        shape = shape_for(self.survivor)
        mine, theirs = shape.shown(self.survivor), shape_for(self.gone).shown(self.gone)
        for name, value in theirs.items():
            known = name in shape.fields or name not in shape_for(self.gone).fields
            if name != NAME and known and mine.get(name) in _NOTHING and value not in _NOTHING:
                self.kept["filled"][name] = [mine.get(name), value]
        first = min(self.survivor.first_seen_at, self.gone.first_seen_at)
        self.kept["first_seen_at"] = [audit.plain(self.survivor.first_seen_at), audit.plain(first)]
        self.kept["discovered"] = self.survivor.discovered
        self.survivor.discovered = False  # somebody knows it: discovery gives it no other name
        shape.put(self.survivor, {n: v for n, (_, v) in self.kept["filled"].items()})
        self.survivor.first_seen_at = first
        self.survivor.last_seen_at = max(self.survivor.last_seen_at, self.gone.last_seen_at)
        _save(self.survivor)


def _save(record: Any) -> None:
    """Its rows as they are; a position in a rack that is taken is no reason not to undo."""
    record.save(force_update=True)


def unmerge(actor: Actor, done: Merge) -> list[str]:
    """Two items again, as they were. What has come to the survivor since stays with it; what could not be put back is
    said, in sentences. Raises Refused when the item is there already."""
    with transaction.atomic():
        done = Merge.objects.select_for_update().get(pk=done.pk)
        if done.undone_at is not None:
            raise Refused(f"{done.name} is an item of its own again already")
        if done.kept.get("within"):
            raise Refused(f"{done.name} is a part of what was merged: undo that")
        if Item.objects.filter(pk=done.gone).exists():
            raise Refused(f"there is an item with the id that {done.name} had")
        undoing = _Undoing(actor, done)
        undoing.run()
        undoing.since()
        Merge.objects.filter(pk=done.pk).update(kept={**done.kept, "said": undoing.said})
        both = {*undoing.apart, *undoing.apart.values()}
        announce(both, relations_at(both), removed=undoing.apart.values(), alerts=undoing.alerts)
    return undoing.said


class _Undoing:
    """One merge undone, with those of its parts. `apart`: item that is there again → the one that it was part of."""

    def __init__(self, actor: Actor, done: Merge) -> None:
        self.actor, self.done, self.said = actor, done, list[str]()
        self.survivor = record_of(done.item)
        self.apart = {done.gone: self.survivor.pk}
        self.alerts: dict[str, str] = {}

    def run(self) -> None:
        """In the order in which what is put back finds what it needs."""
        k, models = self.done.kept, {m._meta.label: m for m in _all_models()}
        for label, row in zip(k["tables"], k["rows"], strict=True):
            write_back(models[label], row)
        for label, keys in k["moved"].items():
            self._back(pointers().get(label), label, keys)
        for label, row in reversed(k["dropped"]):
            try:
                with transaction.atomic():
                    write_back(models[label], row)
            except IntegrityError:
                self.said.append(
                    f"one of the {models[label]._meta.verbose_name_plural} is in the way of what was there"
                )
        for part in Merge.objects.filter(pk__in=k["inner"], undone_at=None):
            undoing = _Undoing(self.actor, part)
            undoing.run()
            self.apart |= undoing.apart
            self.alerts |= undoing.alerts
            self.said += undoing.said
        for pk, old, new in k["renamed"]:
            if not Identifier.objects.filter(pk=pk, value=new).update(value=old):
                self.said.append(f"the name {old} has changed since")
        Duplicate.objects.filter(pk__in=k["not_the_same"]).delete()
        self._unfill()
        self._remember()
        self.done.undone_at = timezone.now()
        self.done.save(update_fields=["undone_at"])
        again = Item.objects.get(pk=self.done.gone)
        audit.record(
            self.actor,
            "item.unmerge",
            again,
            after={"was part of": f"{self.survivor.name} ({self.survivor.pk})"},
        )

    def _back(self, pointer: Pointer | None, label: str, keys: list[Any]) -> None:
        if pointer is None:
            self.said.append(
                f"{len(keys)} of {label} are of a part of the program that is not there any more"
            )
            return
        rows = pointer.model._base_manager.filter(pk__in=keys, **{pointer.column: self.survivor.pk})
        found = list(rows.values_list("pk", flat=True))
        pointer.model._base_manager.filter(pk__in=found).update(**{pointer.column: self.done.gone})
        if pointer.model._meta.label == "situations.Alert":
            self.alerts |= dict.fromkeys(found, self.done.gone)
        if missing := len(keys) - len(found):
            self.said.append(f"{missing} of its {pointer.plural} have been removed or moved since")

    def _unfill(self) -> None:
        """What the survivor got from it, unless it has been changed since."""
        shape = shape_for(self.survivor)
        now = shape.shown(self.survivor)
        back = {}
        for name, (before, after) in self.done.kept["filled"].items():
            if now.get(name) == after:
                back[name] = before
            else:
                self.said.append(f"{name} of {self.survivor.name} has been changed since, and stays")
        shape.put(self.survivor, back)
        self.survivor.discovered = self.done.kept["discovered"]
        before, after = self.done.kept["first_seen_at"]
        if audit.plain(self.survivor.first_seen_at) == after:
            self.survivor.first_seen_at = Item._meta.get_field("first_seen_at").to_python(before)
        _save(self.survivor)

    def _remember(self) -> None:
        """That somebody has told them apart."""
        first, second = sorted((self.done.gone, self.survivor.pk))
        Duplicate.objects.update_or_create(
            first_id=first, second_id=second,
            defaults={"state": Duplicate.State.NOT_THE_SAME, "decided_by": self.actor.name[:150]},
            create_defaults={
                "score": 0.0, "because": list(self.done.because), "found_at": timezone.now(),
                "state": Duplicate.State.NOT_THE_SAME, "decided_by": self.actor.name[:150],
            },
        )  # fmt: skip

    def since(self) -> None:
        """What has come since they were one: nobody can tell whose it is."""
        new = {
            "relations": relations_since(self.survivor.pk, self.done),
            "names": Identifier.objects.filter(item=self.survivor.pk, valid_from__gt=self.done.at).count(),
            "alerts": self.survivor.alerts.filter(first_seen_at__gt=self.done.at).count(),
        }
        told = [f"{n} {what}" for what, n in new.items() if n]
        if told:
            self.said.append(f"{' and '.join(told)} that have come since stay with {self.survivor.name}")


def relations_since(item: str, done: Merge) -> int:
    """How many have begun at this item after that."""
    ends = Q(source=item) | Q(target=item)
    return Relation.objects.filter(ends, valid_from__gt=done.at).count()


def _all_models() -> Iterable[Any]:
    from django.apps import apps

    return apps.get_models(include_auto_created=True)


def became(ids: Iterable[str]) -> dict[str, str]:
    """Of these ids those of items that are part of others now, and which they lead to."""
    found = Merge.objects.filter(gone__in=list(ids), undone_at=None)
    return dict(found.values_list("gone", "item_id"))


def resource_of(item: Item) -> Any:
    """The declaration of an item's own kind."""
    return registry[item.declared or "items"]
