"""What people did to a record, newest first, with what each act changed: field, value before, value after."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import ForeignKey, ManyToManyField, Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from watchkeeper.console.wording import Titles, called, field_of, said
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import Resource
from watchkeeper.kernel.rest import readable, serializer_of

SHOWN = 15
_LINES = 60  # of a text's difference


@dataclass(frozen=True)
class Change:
    """One field; `text` is the difference of two longer texts, line by line, in the place of both."""

    label: str
    before: SafeString | None
    after: SafeString
    text: SafeString | None = None


@dataclass(frozen=True)
class Act:
    """One entry and what it changed. `first`: the values are those that the record was made with."""

    entry: AuditEntry
    changes: list[Change]
    first: bool = False


def of(resource: Resource, record: Model, actor: Actor) -> tuple[list[Act], int]:
    """The newest acts, and how many there are in all."""
    entries = AuditEntry.objects.filter(kind=resource.model._meta.verbose_name, record=str(record.pk))
    shown = list(entries[:SHOWN])
    count = len(shown) if len(shown) < SHOWN else entries.count()
    titles = _titles(resource, shown, actor)
    acts = [
        Act(e, list(changes(resource, e, titles)), e.before is None and e.act.endswith(".create"))
        for e in shown
    ]
    return acts, count


def _titles(resource: Resource, entries: Iterable[AuditEntry], actor: Actor) -> Titles:
    """Those of all that the entries refer to, with a query for each kind of it."""
    keys: dict[Any, set[Any]] = {}
    for values in (v for e in entries for v in (e.before or {}, e.after or {})):
        for name, value in values.items():
            field = field_of(resource.model, name)
            if isinstance(field, ForeignKey | ManyToManyField):
                keys.setdefault(field.related_model, set()).update(
                    value if isinstance(value, list) else [value]
                )
    titles = Titles(actor)
    for model, wanted in keys.items():
        titles.read(model, wanted)
    return titles


def changes(resource: Resource, entry: AuditEntry, titles: Titles) -> Iterator[Change]:
    """Field by field, of those that the record shows; what an act was given counts as its values after."""
    before, after = entry.before or {}, entry.after or {}
    known = _names(resource, entry)
    for key in dict.fromkeys((*after, *before)):
        name = known.get(key)
        was, now = before.get(key), after.get(key)
        if name is None or (not entry.before and now in (None, "", [], {}, False)):
            continue
        if isinstance(was, str) and isinstance(now, str) and "\n" in (was + now):
            yield Change(called(resource, name), None, SafeString(""), _difference(was, now))
            continue
        then = said(resource, name, was, titles) if entry.before else None
        yield Change(called(resource, name), then, said(resource, name, now, titles))


def _names(resource: Resource, entry: AuditEntry) -> dict[str, str]:
    """Keys of an entry → fields: those that REST shows, and what an action is told."""
    own = {n: n for n in readable(resource)}
    shape: Any = serializer_of(resource)()
    own |= {f.source: n for n, f in shape.fields.items() if not f.write_only and f.source != "*"}
    for field in resource.model._meta.concrete_fields:
        if field.name in own and not field.primary_key:
            own[field.attname] = field.name
    own.pop(resource.model._meta.pk.name, None)
    action = resource.action(entry.act.partition(".")[2])
    if action is not None and action.fields is not None:
        told: Any = action.fields()
        own |= {n: n for n, f in told.fields.items() if not f.write_only}
    return own


def _difference(before: str, after: str) -> SafeString:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]
    shown = (
        (format_html("<ins>{}</ins>", line) if line.startswith("+") else
         format_html("<del>{}</del>", line) if line.startswith("-") else format_html("{}", line),)
        for line in lines[:_LINES] if not line.startswith("@@")
    )  # fmt: skip
    more = format_html("\n… {} lines more", len(lines) - _LINES) if len(lines) > _LINES else ""
    return format_html("{}{}", format_html_join("\n", "{}", shown), more)
