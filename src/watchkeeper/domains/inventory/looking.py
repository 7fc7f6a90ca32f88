"""Looks at described things beside what is there: which item each one is, what it would show after, and what would have
to be written for it. Reads in bulk and writes nothing; planning and applying both stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from watchkeeper.domains.inventory.believing import ranks
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.drafts import Act, Draft, Step
from watchkeeper.domains.inventory.identity import Holders, anchors, by_names, chosen, chunks, tamed
from watchkeeper.domains.inventory.models import Declared, Item, Source, Statement
from watchkeeper.domains.inventory.models.sources import PEOPLE
from watchkeeper.domains.inventory.precedence import Said, peoples
from watchkeeper.domains.inventory.shapes import NAME, Shape, Small, Unfit, shape_for, shape_of
from watchkeeper.kernel.audit import plain
from watchkeeper.model.hostnames import host_identifiers
from watchkeeper.model.topology import Identifier, item_id

_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_LONGEST_KEY = 255


class Look:
    """Over all that a source describes, chunk by chunk in an order in which references come before what refers."""

    def __init__(self, source: Source, described: Sequence[Described], *, writes: bool = False) -> None:
        """`writes`: small records that are referred to and not there are made at once."""
        self.source, self.described, self.writes = source, {d.source_key: d for d in described}, writes
        self.people = Source.people()
        self.ranks = ranks(source)
        rows = Statement.objects.filter(source_id=source.pk).values_list(
            "key", "item_id"
        )  # a new one has said nothing
        self.known: dict[str, str] = dict(rows.iterator(5000))
        # an item that a key which is still described means is taken; a key that is gone may have got another name
        self.taken = {item for key, item in self.known.items() if key in self.described}
        self.ids: dict[str, str] = {}
        self.records: dict[str, Any] = {}  # by id, of those looked at that others refer to
        self.refused: set[str] = set()
        self.referred = {r for d in described for r in d.references.values()}
        self.small = Small()
        self.new: dict[
            tuple[type[Model], Any], Model
        ] = {}  # small records that are not there yet, as they are told
        self.opening: dict[
            Identifier, tuple[str, str]
        ] = {}  # names that this run gives: item, and what it is called

    def at(self, chunk: Sequence[Described]) -> list[Draft]:
        """A draft for each. Nothing is written."""
        drafts = [self._draft(d) for d in chunk]
        anchors = self._anchors(drafts)
        for d in drafts:
            if not d.failed:
                self._fill(d, anchors)
        self._instances(drafts)
        for d in drafts:
            if not d.failed:
                self._tentative(d)
        sound = [d for d in drafts if not d.failed]
        holders = Holders(x for d in sound for x in d.names)
        self._identify(sound, holders)
        self._load([d for d in sound if not d.failed])
        self._instances(sound)
        for d in sound:
            if not d.failed:
                self._decide(d)
        holders.ask(x for d in sound for x in _claims(d.after))
        for d in drafts:
            if not d.failed:
                self._names(d, holders)
                d.step.act = self._act(d)
            self._note(d)
        return drafts

    def _note(self, d: Draft) -> None:
        key = d.described.source_key
        if d.failed:
            self.refused.add(key)
            return
        self.ids[key] = d.step.item
        self.taken.add(d.step.item)
        if key in self.referred:
            self.records[d.step.item] = d.after

    # --- what is said --------------------------------------------------------------------------------------------
    def _draft(self, d: Described) -> Draft:
        draft = Draft(d, shape_of(d.kind), Step(Act.SAME, d.source_key, d.kind, d.name or d.source_key))
        if not d.source_key or len(d.source_key) > _LONGEST_KEY:
            draft.fail(f"its key in the source has to have 1 to {_LONGEST_KEY} characters")
        elif not _KIND.fullmatch(d.kind):
            draft.fail(f"{d.kind!r} is not a kind: write devices, sites … or a word such as host")
        return draft

    def _anchors(self, drafts: Iterable[Draft]) -> Mapping[str, str]:
        """References by an identifier of the graph, and the item that is meant."""
        texts = {r for d in drafts for r in d.described.references.values() if self._key(r) is None}
        return anchors(texts)

    def _key(self, reference: str) -> str | None:
        """The item of a key of this source."""
        return self.ids.get(reference) or (
            self.known.get(reference) if reference not in self.described else None
        )

    def _fill(self, d: Draft, anchored: Mapping[str, str]) -> None:
        """The values that are said, each as its field takes it."""
        wrong: list[str] = []
        given = {**d.described.attributes, **({NAME: d.described.name} if d.described.name else {})}
        for name, value in given.items():
            if value in (None, "", [], {}):
                continue
            try:
                if name in d.shape.small:
                    small = self.small.of(d.shape.small[name], value)
                    d.values[name] = self.small.kept(small) if self.writes else small
                else:
                    d.values[name] = d.shape.value(name, value)
            except Unfit as error:
                wrong.append(error.detail)
        for name, reference in d.described.references.items():
            found = self._key(reference) or anchored.get(reference)
            if name not in d.shape.items:
                wrong.append(f"{name}: {d.shape.kind} have no such reference")
            elif reference in self.refused:
                wrong.append(f"{name}: {reference} cannot be taken over itself")
            elif found is None:
                wrong.append(f"{name}: nothing is known as {reference}")
            else:
                d.values[name] = found
        wrong += self._missing(d)
        if wrong:
            d.fail(*wrong)

    def _missing(self, d: Draft) -> Iterator[str]:
        if not d.shape.follows and not d.values.get(NAME):
            yield "name: it is needed"
        for name, f in d.shape.fields.items():
            if not f.null and not f.blank and not f.has_default() and name not in d.values:
                yield f"{name}: it is needed"

    def _instances(self, drafts: Iterable[Draft]) -> None:
        """What the drafts refer to, read at once: names and identifiers of some kinds are made of it."""
        wanted: dict[Any, set[str]] = {}
        for d in drafts:
            for name, model in d.shape.items.items() if not d.failed else ():
                for record in (d.after, d.before):
                    if record is not None:
                        wanted.setdefault(model, set()).add(getattr(record, f"{name}_id", ""))
                wanted.setdefault(model, set()).add(d.values.get(name, ""))
        for model, ids in wanted.items():
            missing = [i for i in ids if i and i not in self.records]
            for part in chunks(missing):
                found = model._default_manager.all()
                found = found.select_related("as_interface") if model is Item else found
                self.records |= found.in_bulk(part)

    def _tentative(self, d: Draft) -> None:
        """The record as the source alone describes it: its values in the one spelling that is kept, and its names."""
        record = d.shape.new(item_id("described", self.source.name, d.described.source_key))
        told = self._put(d, record, d.values)
        try:
            if isinstance(record, Declared):
                record.complete()
        except (ValidationError, AttributeError) as error:
            d.fail(*getattr(error, "messages", [str(error)]))
            return
        shown = d.shape.shown(record)
        new = {n for n in d.shape.small if isinstance(told.get(n), str)}
        d.values = {
            n: told[n] if n in new or n not in shown else shown[n]
            for n in told if not (n == NAME and d.shape.follows)
        }  # fmt: skip
        d.step.name, d.after = record.name, record
        names = [y for x in d.described.identifiers if (y := tamed(x)) is not None]
        if isinstance(record, Declared):
            names += [x for key, x in record.claims() if key == record.pk]
        elif d.shape.kind == "host":
            names += host_identifiers(record.name)
        elif d.shape.kind == "service":
            names.append(Identifier("service.name", record.name.lower()))
        d.names = tuple(dict.fromkeys(x for x in names if x.value))

    def _put(self, d: Draft, record: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """Set values, small records among them; they as they are kept."""
        told: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, Model):
                setattr(record, name, value)
                told[name] = value.pk if value.pk is not None else f"{value} (new)"
                self.new[type(value), told[name]] = value
            elif name in d.shape.small and isinstance(value, str):
                told[name] = value  # one that applying would make; the record's name may be made of it
                setattr(record, name, self.new[d.shape.small[name], value])
            else:
                told[name] = plain(value)
                d.shape.put(record, {name: told[name]})
        self._bind(d.shape, record)
        return told

    def _bind(self, shape: Shape, record: Any) -> None:
        for name, f in shape.fields.items():
            if (
                name in shape.items
                and (known := self.records.get(getattr(record, f.attname) or "")) is not None
            ):
                f.set_cached_value(record, known)

    # --- which item it is ----------------------------------------------------------------------------------------
    def _identify(self, drafts: Sequence[Draft], holders: Holders) -> None:
        nameless: dict[Any, list[Draft]] = {}
        for d in drafts:
            d.step.item = self.known.get(d.described.source_key, "")
            if d.step.item:
                continue
            graph_kind = d.shape.model.GRAPH_KIND if issubclass(d.shape.model, Declared) else d.shape.kind
            holder, by = chosen(d.names, holders, d.shape.kind, graph_kind, self.taken)
            if holder is not None:
                d.step.item = holder.id
                d.step.because = (f"it is {holder.name}, known as {by[0].scheme}={by[0].value}",)
                self.taken.add(holder.id)
            elif not d.names and issubclass(d.shape.model, Declared):
                nameless.setdefault(d.shape.model, []).append(d)
        for model, some in nameless.items():
            self._by_name(some, by_names(model, (d.after.name for d in some)))
        for d in drafts:
            d.step.item = d.step.item or d.after.pk

    def _by_name(self, drafts: Iterable[Draft], found: Mapping[str, list[Any]]) -> None:
        """Of a kind that signals have no names for: the one record of this name in the same place."""
        for d in drafts:
            same = [
                r for r in found.get(d.after.name, ())
                if r.pk not in self.taken
                and all(plain(getattr(r, f"{n}_id")) == d.values[n] for n in d.shape.items if n in d.values)
            ]  # fmt: skip
            if len(same) == 1:
                d.step.item = same[0].pk
                d.step.because = (f"it is the {d.shape.model._meta.verbose_name} of this name that is there",)
                self.taken.add(same[0].pk)

    def _load(self, drafts: Sequence[Draft]) -> None:
        """The records as they are, and what all sources say of them."""
        ids = [d.step.item for d in drafts]
        items: dict[str, Item] = {}
        said: dict[str, list[Statement]] = {}
        for part in chunks(ids):
            items |= Item.objects.in_bulk(part)
            for s in Statement.objects.filter(item__in=part).select_related("source").order_by("id"):
                said.setdefault(s.item_id, []).append(s)
        kinds: dict[Shape, list[str]] = {}
        for i in items.values():
            kinds.setdefault(shape_for(i), []).append(i.pk)
        for shape, some in kinds.items():
            for part in chunks(some if shape.model is not Item else ()):
                items |= shape.model._default_manager.in_bulk(part)
        for d in drafts:
            d.before = items.get(d.step.item)
            d.others = said.get(d.step.item, [])
            mine = (s for s in d.others if s.source_id == self.source.pk and s.key == d.described.source_key)
            d.statement = next(mine, None)

    # --- what it comes to ----------------------------------------------------------------------------------------
    def _decide(self, d: Draft) -> None:
        if d.before is not None and not self._fits(d):
            return
        record, shown = d.before, {}
        if record is not None:
            there = shape_for(record)
            self._bind(there, record)
            shown = there.shown(record)
        d.after = self._copy(d)
        counts = self._counts(d, shown)
        differs = {n: (shown.get(n), v) for n, v in counts.items() if shown.get(n) != v}
        self._put(d, d.after, {n: v for n, (_, v) in differs.items()})
        try:
            if isinstance(d.after, Declared):
                d.after.complete()
                if differs or record is None:
                    d.after.clean()
        except ValidationError as error:
            d.fail(*_told(error))
            return
        now = d.shape.shown(d.after)
        d.step.values = {
            n: (shown.get(n), now[n]) for n in now if shown.get(n) != now[n] and (record or now[n])
        }
        d.step.values |= {n: (v, None) for n, v in shown.items() if n not in now}
        d.step.values |= {n: p for n, p in differs.items() if n in d.shape.small and isinstance(p[1], str)}

    def _fits(self, d: Draft) -> bool:
        there = shape_for(d.before)
        if there.model is d.shape.model or d.shape.model is Item:
            d.shape = there
            return True
        if there.model is Item:
            return True
        d.fail(
            f"{d.before.name} is one of the {there.kind} here, and one of the {d.shape.kind} in the source"
        )
        return False

    def _copy(self, d: Draft) -> Any:
        """The record as it is, in the kind that it shall have, to be changed."""
        made = d.shape.new(d.step.item)
        if d.before is not None:
            for f in type(d.before)._meta.concrete_fields:
                if f in made._meta.concrete_fields:
                    setattr(made, f.attname, getattr(d.before, f.attname))
            made.attributes = dict(d.before.attributes)
            made._state.adding = type(d.before) is not type(made)
            for name, f in d.shape.fields.items():
                if f.is_relation and name not in d.shape.items and f.is_cached(d.before):
                    f.set_cached_value(made, f.get_cached_value(d.before))
        made.discovered = False
        self._bind(d.shape, made)
        return made

    def _counts(self, d: Draft, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The values that count now; None for those that nobody says any more."""
        fixed = d.values
        before = next((s for s in d.others if s.source_id == self.people.pk), None)
        sourced = [s for s in d.others if s.source_id != self.people.pk]
        if d.before is not None and not d.before.discovered:
            kept = before.values if before else {}
            words = peoples(shown, [s.values for s in sourced], kept, d.shape.defaults)
            d.people = {
                n: v
                for n, v in words.items()
                if n in fixed or n in kept or any(n in s.values for s in sourced)
            }
        said = [
            Said(s.source_id, s.values, s.stale_since is None, s.last_seen_at.timestamp())
            for s in sourced if s is not d.statement
        ]  # fmt: skip
        said.append(Said(self.source.pk, fixed, seen=float("inf")))
        said.append(Said(self.people.pk, d.people))
        best = self.ranks.winners(d.shape.kind, said)
        why = {n: s for n, (v, s) in best.items() if n in fixed and s != self.source.pk and v != fixed[n]}
        names = {s.source_id: s.source.name for s in d.others} | {self.people.pk: PEOPLE}
        d.step.because += tuple(
            f"{n}: what {names[s]} say{'s' * (s != self.people.pk)} counts" for n, s in why.items()
        )
        gone = (d.statement.values if d.statement else {}).keys() - best.keys()
        return {n: v for n, (v, _) in best.items()} | dict.fromkeys(gone)

    def _names(self, d: Draft, holders: Holders) -> None:
        """Identifiers that come, go, or that another item bears."""
        claims = dict.fromkeys((d.step.item, x) for x in d.names)
        had: dict[tuple[str, Identifier], None] = {}
        if isinstance(d.after, Declared):
            claims = dict.fromkeys((*d.after.claims(), *claims))
        if isinstance(d.before, Declared):
            had = dict.fromkeys(d.before.claims())
        if d.statement is not None:
            had |= dict.fromkeys((d.step.item, Identifier(*x)) for x in d.statement.identifiers)
        others = {tuple(x) for s in d.others if s is not d.statement for x in s.identifiers}
        d.closed = [(i, x) for i, x in had if (i, x) not in claims and (x.scheme, x.value) not in others]
        for item, x in claims:
            holder = holders.of(x)
            who, called = (holder.id, holder.name) if holder else self.opening.get(x, ("", ""))
            if who not in ("", item):
                d.contested.append((who, x))
                d.step.because += (f"{called} is known as {x.scheme}={x.value}: perhaps the same",)
            elif not who:
                d.opened.append((item, x))
                self.opening[x] = (item, d.step.name)

    def _act(self, d: Draft) -> Act:
        if d.before is None:
            return Act.CREATE
        s = d.statement
        if s is not None and s.stale_since is not None:
            d.step.because += ("it is named again",)
        if d.step.values or d.opened or d.closed or type(d.before) is not type(d.after):
            return Act.CHANGE
        named = [(x.scheme, x.value) for x in d.names]
        same = s is not None and s.stale_since is None and dict(s.values) == d.values
        return Act.SAME if same and [tuple(x) for x in s.identifiers] == named else Act.CHANGE  # type: ignore[union-attr]


def _claims(record: Any) -> Iterator[Identifier]:
    """The names that a record gives to itself and to others: an address to its machine."""
    if isinstance(record, Declared):
        yield from (x for _, x in record.claims())


def _told(error: ValidationError) -> list[str]:
    if hasattr(error, "message_dict"):
        return [f"{name}: {' '.join(said)}" for name, said in error.message_dict.items()]
    return list(error.messages)
