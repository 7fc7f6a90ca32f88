"""What an import would do: rows from outside compared with the records of a kind, and every error in them found.
A Plan is data, for console and command line to show; nothing is written here."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from watchkeeper.exchange.references import References, as_key
from watchkeeper.exchange.tables import Row, cell, from_json
from watchkeeper.kernel import doing, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.extras import ExtraField
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import Invalid, Refused, told
from watchkeeper.kernel.resource import Resource
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import Malformed

CHUNK = 500  # rows for which the records are read at once
HIDDEN = "••••"
Progress = Callable[[int], None]  # is told how many rows more are done
_NESTED = (
    serializers.ListField, serializers.DictField, serializers.JSONField, serializers.BaseSerializer,
    serializers.ManyRelatedField,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wrong:
    """What cannot be done, in which row, with which field; "" when it is the row as a whole."""

    row: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Step:
    """A record to make (`key` is None) or to change: its `values` before and after as REST shows them, and
    `data` as the serializer has found it valid."""

    row: int
    key: Any
    title: str
    values: dict[str, tuple[Any, Any]]
    data: dict[str, Any]


@dataclass
class Plan:
    """What an import would do. `ignored` are columns that follow from others and are not read."""

    resource: Resource
    creates: list[Step] = field(default_factory=list)
    changes: list[Step] = field(default_factory=list)
    unchanged: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many records it would write."""
        return len(self.creates) + len(self.changes)

    @property
    def digest(self) -> str:
        """The same for plans that do the same."""
        steps = [(s.row, s.key, s.values) for s in (*self.creates, *self.changes)]
        return hashlib.sha256(msgspec.json.encode(plain(steps))).hexdigest()


def plan(
    resource: Resource, actor: Actor, rows: Sequence[Row], *, match: str = "", cells: bool = False,
    progress: Progress = lambda _: None,
) -> Plan:  # fmt: skip
    """Compare rows with the records: one with an id changes that record, one without makes one; with `match`
    the record is found by this field instead. `cells`: the values are text, as CSV has them.

    Reads the records in chunks and writes nothing. Raises Refused when this kind takes no import from this
    actor or cannot be matched so; what is wrong with rows is in the plan.
    """
    check(resource, actor, match)
    if len(rows) > 1 and doing.journaled(resource.create):
        raise Refused(f"{resource.plural} go through the journal: one at a time, and not all or none")
    planner = _Planner(resource, actor, match, cells)
    for chunk in chunks(rows):
        planner.take(chunk)
        progress(len(chunk))
    return planner.plan


def check(resource: Resource, actor: Actor, match: str = "") -> None:
    """Raises Refused when this kind takes no import from this actor, or Invalid when it cannot be matched so."""
    if not any(may(actor, action, resource) for action in resource.allow & {"create", "change"}):
        raise Refused(f"you may not write {resource.plural}")
    if not resource.allow & {"create", "change"}:
        raise Refused(f"{resource.plural} are not made or changed by people")
    fit = matchable(resource)
    if match and match not in (*fit, key_of(resource)):
        raise Invalid(f"cannot find records by {match!r}: {unknown(resource, match, fit)}")


def takes_imports(resource: Resource) -> bool:
    """Whether files of this kind can be imported at all."""
    made = doing.for_people(resource) and not doing.journaled(resource.create)
    return made or ("change" in resource.allow and "create" not in resource.allow)


def key_of(resource: Resource) -> str:
    """The field that tells records apart: the primary key, or the `id` behind it where the key is a parent's."""
    made: Any = serializer_of(resource)()
    name = str(resource.model._meta.pk.name)
    return name if name in made.fields else "id"


def inputs(resource: Resource) -> list[str]:
    """The fields that may be written."""
    made: Any = serializer_of(resource)()
    return [n for n, f in made.fields.items() if not f.read_only]


def matchable(resource: Resource) -> list[str]:
    """The fields by which a record can be found instead of its id: plain columns that a file may hold."""
    made: Any = serializer_of(resource)()
    columns = {f.name for f in resource.model._meta.concrete_fields}
    return [
        n for n, f in made.fields.items()
        if n in columns and not f.read_only and not f.write_only and not isinstance(f, _NESTED)
    ]  # fmt: skip


class _Planner:
    """Makes a plan, chunk by chunk. Two serializers do for all rows, because making one costs more than a row."""

    def __init__(self, resource: Resource, actor: Actor, match: str, cells: bool) -> None:
        shape: Any = serializer_of(resource)
        self.resource, self.actor, self.cells, self.plan = resource, actor, cells, Plan(resource)
        context = {"actor": actor}
        self.making, self.changing = shape(context=context), shape(partial=True, context=context)
        self.fields = dict(self.making.fields)
        self.inputs = {n for n, f in self.fields.items() if not f.read_only}
        self.key: Any = resource.model._meta.get_field(match or key_of(resource))
        self.match = "" if match == key_of(resource) else match
        self.unique, self.references = set[str](), dict[str, References]()
        self.seen: dict[tuple[str, Any], int] = {}  # column and value → the first row that has it
        self.looked_at = set[str]()
        for serializer in (self.making, self.changing):
            for name, f in serializer.fields.items():
                self._by_chunk(name, f)

    def _by_chunk(self, name: str, f: Any) -> None:
        """What the field would ask the database row by row is asked here, for many."""
        if any(isinstance(v, UniqueValidator) for v in f.validators):
            f.validators = [v for v in f.validators if not isinstance(v, UniqueValidator)]
            self.unique.add(f.source)
        if isinstance(f, serializers.PrimaryKeyRelatedField) and not f.read_only:
            self._refers(name, f)

    def _refers(self, name: str, f: Any) -> None:
        if name not in self.references:
            self.references[name] = References(f.get_queryset())
        f.queryset = self.references[name]

    def take(self, chunk: list[Row]) -> None:
        """Plan these rows."""
        keys = {number: self._key_of(row) for number, row in chunk}
        wanted = {k for k in keys.values() if k is not None}
        found: dict[Any, list[Any]] = {}
        records = list(visible(self.actor, self.resource).filter(**{f"{self.key.name}__in": wanted}))
        extras.gather(self.resource, records)
        for record in records:
            found.setdefault(getattr(record, self.key.attname), []).append(record)
        for name, known in self.references.items():
            known.read(row.get(name) for _, row in chunk)
        steps = []
        for number, row in chunk:
            try:
                steps.append(self._step(number, row, keys[number], found.get(keys[number], [])))
            except serializers.ValidationError as error:
                self.plan.wrong += [Wrong(number, name, detail) for name, detail in told(error.detail)]
        self._keep([s for s in steps if s is not None])

    def _key_of(self, row: dict[str, Any]) -> Any:
        value = row.get(self.key.name)
        if self.match and isinstance(value, str):
            value = value.strip()  # as it was when the record was made
        return None if value in (None, "") or isinstance(value, dict | list) else as_key(self.key, value)

    def _step(self, number: int, row: dict[str, Any], key: Any, found: list[Any]) -> Step | None:
        """What this row comes to; None when nothing is to be done. Raises ValidationError."""
        name, resource = self.key.name, self.resource
        self._look_at(number, row.keys())
        given = row.get(name) not in (None, "")
        if key is not None and (first := self.seen.setdefault((name, key), number)) != number:
            raise _wrong(name, f"row {first} has the same")
        if len(found) > 1:
            raise _wrong(name, f"{len(found)} {resource.plural} have this {name}; use their id")
        if found:
            return self._changed(number, row, found[0])
        if self.match and not given:
            raise _wrong(name, "is needed to find the record")
        if given and not self.match and name not in self.inputs:
            raise _wrong(name, f"no {resource.name} has this; leave it empty to make a new one")
        return self._made(number, row)

    def _look_at(self, number: int, names: Iterable[str]) -> None:
        """Columns that are not known are wrong once, not in every row; those that follow are ignored."""
        for name in names:
            if name in self.looked_at:
                continue
            self.looked_at.add(name)
            if name not in self.fields:
                detail = unknown(self.resource, name, [self.key.name, *inputs(self.resource)])
                self.plan.wrong.append(Wrong(number, name, detail))
            elif name not in self.inputs and name != self.key.name:
                self.plan.ignored.append(name)

    def _made(self, number: int, row: dict[str, Any]) -> Step:
        if "create" not in self.resource.allow:
            raise _wrong("", f"{self.resource.plural} cannot be made this way")
        given = {n: v for n, v in row.items() if n in self.inputs and not (self.cells and v == "")}
        data = self._valid(self.making, given)
        title = str(next((given[n] for n in ("name", "title", "username") if given.get(n)), f"row {number}"))
        values = {n: (None, self._shown(n, data, v)) for n, v in given.items()}
        return Step(number, None, title, values, data)

    def _changed(self, number: int, row: dict[str, Any], record: Any) -> Step | None:
        before = plain(self.changing.to_representation(record))
        given = {n: v for n, v in row.items() if n in self.inputs and not self._same(v, before.get(n))}
        self.changing.instance = record
        data = self._valid(self.changing, given) if given else {}
        values = {n: (before.get(n, HIDDEN), self._shown(n, data, HIDDEN)) for n in given}
        for n in [n for n, (was, now) in values.items() if was == now and now != HIDDEN]:
            del values[n]
            data.pop(self.fields[n].source, None)
        if not values:
            self.plan.unchanged += 1
            return None
        if "change" not in self.resource.allow:
            raise _wrong(next(iter(values)), f"{self.resource.plural} cannot be changed")
        if fixed := [n for n in values if n in self.resource.create_only]:
            ways = [a.name for a in self.resource.actions if getattr(a.run, "moves", "") == fixed[0]]
            stays = f"it is set when the {self.resource.name} is made, and stays"
            raise _wrong(fixed[0], f"actions change it: {', '.join(ways)}" if ways else stays)
        return Step(number, record.pk, self.resource.title(record), values, data)

    def _same(self, value: Any, before: Any) -> bool:
        return bool(value == cell(before)) if self.cells else value == before and type(value) is type(before)

    def _valid(self, serializer: Any, given: dict[str, Any]) -> dict[str, Any]:
        read: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for n, value in given.items():
            try:
                read[n] = from_text(self.fields[n], value) if self.cells else value
            except serializers.ValidationError as error:
                wrong[n] = error.detail
        if wrong:
            raise serializers.ValidationError(wrong)
        return dict(serializer.run_validation(read))

    def _shown(self, name: str, data: dict[str, Any], otherwise: Any) -> Any:
        """A valid value as REST will show it."""
        f = self.fields[name]
        if f.write_only:
            return HIDDEN
        value = data.get(f.source, otherwise)
        return None if value is None else plain(f.to_representation(value))

    def _keep(self, steps: list[Step]) -> None:
        """Those that take no value that is another's, where values are unique."""
        for name in self.unique:
            values = {s.data[name] for s in steps if s.data.get(name) is not None}
            found = self.resource.model._default_manager.filter(**{f"{name}__in": values})
            taken = dict(found.values_list(name, "pk"))
            for s in [s for s in steps if s.data.get(name) is not None]:
                first = self.seen.setdefault((f"unique {name}", s.data[name]), s.row)
                if taken.get(s.data[name], s.key) != s.key:
                    self.plan.wrong.append(Wrong(s.row, name, f"another {self.resource.name} has it"))
                elif first != s.row:
                    self.plan.wrong.append(Wrong(s.row, name, f"row {first} has the same"))
        self.plan.creates += [s for s in steps if s.key is None]
        self.plan.changes += [s for s in steps if s.key is not None]


def _wrong(name: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError({name: detail} if name else detail)


def from_text(field: Any, text: str) -> Any:
    """What a cell means for a serializer's field: nested values are JSON. Raises ValidationError."""
    if isinstance(field, ExtraField) and text[:1] not in ("[", "{"):
        return text  # as people write it
    if not isinstance(field, (*_NESTED, ExtraField)):
        if isinstance(field, serializers.CharField) and field.allow_blank:
            return text
        return text or (None if field.allow_null else "")
    if not text:
        return {} if isinstance(field, serializers.DictField) else None if field.allow_null else []
    try:
        return from_json(text)
    except Malformed as error:
        raise serializers.ValidationError(error.detail) from error


def unknown(resource: Resource, name: str, known: Iterable[str]) -> str:
    """What to say of a field that is not there."""
    near = difflib.get_close_matches(name, list(known), 1)
    hint = f"is it {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"{resource.plural} have no such field; {hint}"


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """The same in lists of at most CHUNK."""
    left = iter(items)
    while some := list(islice(left, CHUNK)):
        yield some
