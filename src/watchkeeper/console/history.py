"""What people did to a record, newest first, with what each act changed: field, value before, value after."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from watchkeeper.console.attached import value_of
from watchkeeper.console.wording import Titles, called, label, plain, read_titles, said
from watchkeeper.domains.annotations.custom_fields import fields_of
from watchkeeper.domains.annotations.models import CustomField
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import readable, serializer_of

SHOWN = 15
CUSTOM = "custom_fields."  # before the names of custom fields in an entry
#: what acts on tickets say that is no field of theirs
_JOINED = {"merged": "Merged into it", "unmerged": "Taken out of it"}
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
    return _acts(resource, shown, actor), count


def of_entry(entry: AuditEntry, actor: Actor) -> Act | None:
    """What one entry of the audit trail says; None where its kind of record is not known any more."""
    kind = next((r for r in registry if str(r.model._meta.verbose_name) == entry.kind), None)
    return _acts(kind, [entry], actor)[0] if kind is not None else None


def _acts(resource: Resource, entries: list[AuditEntry], actor: Actor) -> list[Act]:
    titles, custom = Titles(actor), _custom(resource, entries)
    read_titles(resource, (v for e in entries for v in (e.before or {}, e.after or {})), titles)
    return [
        Act(
            e,
            [*changes(resource, e, titles), *_custom_changes(e, custom, actor)],
            e.before is None and e.act.endswith(".create"),
        )
        for e in entries
    ]


def _custom(resource: Resource, entries: Iterable[AuditEntry]) -> dict[str, CustomField]:
    """The custom fields by their names in entries, read only where an entry has some."""
    if not any(k.startswith(CUSTOM) for e in entries for k in (*(e.before or ()), *(e.after or ()))):
        return {}
    return {f"{CUSTOM}{f.name}": f for f in fields_of(resource)}


def _custom_changes(entry: AuditEntry, known: dict[str, CustomField], actor: Actor) -> Iterator[Change]:
    """What an entry says of custom fields, also of those that are no more."""
    before, after = entry.before or {}, entry.after or {}
    for key in (k for k in dict.fromkeys((*after, *before)) if k.startswith(CUSTOM)):
        field = known.get(key)
        was, now = (
            value_of(field, v, actor) if field else SafeString("–") if v is None else plain(v)
            for v in (before.get(key), after.get(key))
        )
        name = field.called if field else label(key.removeprefix(CUSTOM))
        yield Change(name, was if entry.before else None, now)


def changes(resource: Resource, entry: AuditEntry, titles: Titles) -> Iterator[Change]:
    """Field by field, of those that the record shows; what an act was given counts as its values after."""
    before, after = entry.before or {}, entry.after or {}
    known = _names(resource, entry)
    for key in dict.fromkeys((*after, *before)):
        name = known.get(key)
        was, now = before.get(key), after.get(key)
        if name is None and key in _JOINED:
            yield Change(_JOINED[key], None, plain(now))
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
