"""What the page and the list of a record show of what people have attached to it: tags, custom fields, notes, links and
files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from watchkeeper.console.fields import Field, read, with_choices
from watchkeeper.console.tables import Row
from watchkeeper.console.templatetags.console import exact, many
from watchkeeper.domains.annotations import bookmarks, defining
from watchkeeper.domains.annotations import custom_fields as defined
from watchkeeper.domains.annotations import links as linking
from watchkeeper.domains.annotations import notes as noting
from watchkeeper.domains.annotations.models import CustomField, File, Link, Note, Tag, Tagging
from watchkeeper.domains.annotations.rules import readable_on
from watchkeeper.kernel import extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on, subject
from watchkeeper.kernel.lists import narrow
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Column, Resource, Show, registry

NOTES, FILES = 50, 50  # shown of each on a record's page
Context = dict[str, Any] | None
#: kinds that nothing is attached to in the console: they are about other records themselves
BARE = frozenset(("audit", "notes", "links", "files"))


@dataclass(frozen=True)
class Chip:
    """A tag as it is drawn."""

    name: str
    colour: str
    ink: str
    description: str = ""


def chips(names: Sequence[str]) -> list[Chip]:
    """Tags by their names."""
    if not names:
        return []
    found = {t.name: t for t in Tag.objects.filter(name__in=names)}
    return [_chip(found[n]) for n in names if n in found]


def _chip(tag: Tag) -> Chip:
    return Chip(tag.name, tag.color, readable_on(tag.color), tag.description)


def drawn(path: str, shown: Sequence[Chip]) -> SafeString:
    """Tags as links to the list of what has them."""
    if not shown:
        return SafeString("")
    each = format_html_join(
        "",
        '<a class="wk-tag" style="--wk-tag: {}; --wk-ink: {}" href="/{}/?tag={}&amp;all=1" title="{}">{}</a>',
        ((c.colour, c.ink, path, quote(c.name), c.description, c.name) for c in shown),
    )
    return format_html('<span class="wk-tags">{}</span>', each)


def tags(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """The tags, a form for them, and the star."""
    if resource.path in BARE:
        return None
    names = extras.value_of(resource, record, "tags")
    can_tag = may(actor, "change", resource, record)
    return {
        "drawn": drawn(resource.path, chips(names)),
        "value": ", ".join(names),
        "can_tag": can_tag,
        "known": Tag.objects.values_list("name", flat=True)[:500] if can_tag else (),
        "starred": bookmarks.is_bookmarked(actor, resource, record),
        "can_star": actor.person is not None,
    }


def custom_fields(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Label and value of each that is set, or that could be."""
    known = defined.fields_of(resource) if resource.path not in BARE else []
    if not known:
        return None
    values = extras.value_of(resource, record, "custom_fields")
    return {
        "rows": [(f, value_of(f, values.get(f.name), actor)) for f in known],
        "can_change": may(actor, "change", resource, record),
    }


def value_of(field: CustomField, value: Any, actor: Actor | None = None) -> SafeString:
    """A value in words. Without an actor, what would need another record is shown as its id."""
    if value in (None, "", []):
        return SafeString('<span class="text-secondary">–</span>')
    match field.type:
        case "yes_no":
            return SafeString("yes" if value else "no")
        case "whole" | "decimal" if value == int(value):
            return SafeString(many(int(value))) if value >= 0 else format_html("{}", int(value))
        case "choices":
            return format_html_join(" ", '<span class="wk-chip">{}</span>', ((v,) for v in value))
        case "url":
            return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', value, value)
        case "moment":
            return exact(dt.datetime.fromisoformat(value))
        case "long_text":
            return format_html('<div class="wk-lines-kept">{}</div>', value)
        case "reference" if actor is not None:
            return _referred(field.target, str(value), actor)
    return format_html("{}", value)


def _referred(kind: str, key: str, actor: Actor) -> SafeString:
    try:
        resource, record = subject(kind, key)
    except NotThere:
        return format_html("{}", key)
    if not may(actor, "read", resource, record):
        return format_html("{}", key)
    return format_html('<a href="/{}/{}/">{}</a>', resource.path, record.pk, resource.title(record))


def notes(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """The newest first, each as HTML."""
    if resource.path in BARE:
        return None
    found = list(on(Note, resource, [record.pk])[:NOTES])
    can_add = may(actor, "change", resource, record)
    return {
        "notes": [(n, noting.as_html(n.text), can_add and noting.own(actor, n)) for n in found],
        "can_add": can_add,
        "levels": Note.Level.choices,
        "more": len(found) == NOTES,
        "colours": {"info": "azure", "success": "green", "warning": "yellow", "danger": "red"},
    }


def links(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """From this record and to it, by how they read."""
    if resource.path in BARE:
        return None
    return {
        "links": linking.links_of(actor, resource, record),
        "can_add": may(actor, "change", resource, record),
        "sorts": Link.Sort.choices,
        "kinds": [(r.path, r.name) for r in sorted(registry, key=lambda r: r.name) if r.path not in BARE],
        "own_kind": resource.path,
    }


def files(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """By name."""
    if resource.path in BARE:
        return None
    return {
        "files": on(File, resource, [record.pk])[:FILES],
        "can_add": may(actor, "change", resource, record),
        "most": settings.FILE_SIZE,
        "accept": ",".join(sorted(f".{end}" for end in settings.FILE_TYPES)),
    }


def use_of_field(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a custom field: how many records have a value, and what would become of these."""
    if not isinstance(record, CustomField):
        return None
    return {
        "kind": registry[record.kind],
        "records": record.values.count(),
        "unfit": defining.unfit(record),
        "query": f"cf_{record.name}__isnull=false",
    }


def tagged(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a tag: which kinds have it on how many records that the actor may see."""
    if not isinstance(record, Tag):
        return None
    paths = set(Tagging.objects.filter(tag=record).values_list("kind", flat=True))
    rows = []
    for kind in sorted((r for r in registry if r.path in paths), key=lambda r: r.path):
        if may(actor, "read", kind):
            rows.append((kind, narrow(kind, visible(actor, kind), {"tag": record.name}).count()))
    return {"rows": rows, "tag": record}


# --- lists ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ExtraColumn(Column):
    """A column of what people have attached; `field` is None for the tags."""

    field: CustomField | None = None


def with_extras(resource: Resource, rows: list[Row]) -> tuple[list[Column], list[Row]]:
    """The declared columns of a list and its rows with what people have attached: tags where a record of the page has
    some, and the custom fields that are to be shown in lists. Two queries, and two more where there is something."""
    extras.gather(resource, [r.record for r in rows])
    known = (
        [f for f in defined.fields_of(resource) if f.in_lists]
        if _any(resource, rows, "custom_fields")
        else []
    )
    names = sorted({n for r in rows for n in extras.value_of(resource, r.record, "tags")})
    coloured = {c.name: c for c in chips(names)}
    more: list[Column] = [ExtraColumn(f"cf_{f.name}", f.called, field=f) for f in known]
    if coloured:
        more.append(ExtraColumn("tags", "Tags", Show.TAGS))
    if not more:
        return list(resource.columns), rows
    out = []
    for row in rows:
        its = [(c, _cell(resource, row.record, c, coloured)) for c in more]
        out.append(replace(row, cells=[*row.cells, *its]))
    return [*resource.columns, *more], out


def in_lists(resource: Resource) -> list[str]:
    """The columns of the custom fields that lists of the kind show where nobody chose columns."""
    return [f"cf_{f.name}" for f in defined.fields_of(resource) if f.in_lists]


def with_custom(
    resource: Resource, shown: Sequence[Column], rows: list[Row]
) -> tuple[list[Column], list[Row]]:
    """The columns that somebody chose and the rows, with the custom fields among them drawn as their types are."""
    if not any(c.name.startswith("cf_") for c in shown):
        return list(shown), rows
    known = {f"cf_{f.name}": f for f in defined.fields_of(resource)}
    columns = [
        ExtraColumn(c.name, c.label, c.show, c.link, known[c.name]) if c.name in known else c for c in shown
    ]
    out = []
    for row in rows:
        cells = [
            (c, cell if c.link or c.name not in known else _cell(resource, row.record, c, {}))
            for c, (_, cell) in zip(columns, row.cells, strict=True)
        ]
        out.append(replace(row, cells=cells))
    return columns, out


def _any(resource: Resource, rows: Sequence[Row], name: str) -> bool:
    return any(extras.value_of(resource, r.record, name) for r in rows)


def _cell(resource: Resource, record: Any, column: Column, coloured: dict[str, Chip]) -> SafeString:
    field = getattr(column, "field", None)
    if field is None:
        names = extras.value_of(resource, record, "tags")
        return drawn(resource.path, [coloured[n] for n in names]) if names else SafeString("–")
    return value_of(field, extras.value_of(resource, record, "custom_fields").get(field.name))


# --- forms ------------------------------------------------------------------------------------------------------
_SHAPES = {"long_text": "long", "whole": "number", "decimal": "number", "yes_no": "choice", "date": "date",
           "moment": "time", "choice": "choice", "choices": "pick"}  # fmt: skip


def inputs(resource: Resource, actor: Actor, values: dict[str, Any] | None = None) -> list[Field]:
    """The custom fields of a kind as inputs, named cf_NAME; with a record's values, or what a new one begins with."""
    known = defined.fields_of(resource)
    return [input_of(f, f.default if values is None else values.get(f.name), actor) for f in known]


def input_of(field: CustomField, value: Any, actor: Actor) -> Field:
    """One custom field as an input; records are chosen by searching for them."""
    choices = tuple((c, c) for c in field.choices or ())
    if field.type == "yes_no":
        choices, value = (("true", "yes"), ("false", "no")), {True: "true", False: "false"}.get(value, value)
    needed = field.required and field.type != "choices"
    made = Field(f"cf_{field.name}", field.called, _SHAPES.get(field.type, "text"), _help(field), needed, choices,
                 "" if value is None else value)  # fmt: skip
    if field.type != "reference":
        return made
    return with_choices(replace(made, shape="reference", path=field.target), registry[field.target], actor)


def _help(field: CustomField) -> str:
    least, most = field.minimum, field.maximum
    unit = " characters" if field.type in ("text", "long_text") else ""
    bounds = f"from {least:g} to {most:g}{unit}" if None not in (least, most) else (
        f"at least {least:g}{unit}" if least is not None else f"at most {most:g}{unit}" if most is not None else ""
    )  # fmt: skip
    return "; ".join(part for part in (field.help, bounds) if part)


def typed(fields: list[Field], given: Any, actor: Actor) -> dict[str, Any]:
    """What was typed into `inputs`, as the API takes it: an empty box takes the value away."""
    return {f.name.removeprefix("cf_"): _typed(f, given, actor) for f in fields}


def _typed(field: Field, given: Any, actor: Actor) -> Any:
    if field.shape == "pick":
        return given.getlist(field.name)
    if field.shape == "reference":
        return read([field], given, actor).get(field.name)
    return given.get(field.name, "").strip() or None


def said(fields: list[Field], given: Any, error: Any, actor: Actor) -> list[Field]:
    """With what was typed and what was wrong with it."""
    detail = getattr(error, "detail", {})
    wrong = detail.get("custom_fields", {}) if isinstance(detail, dict) else {}
    out = []
    for f in fields:
        words = wrong.get(f.name.removeprefix("cf_"), "") if isinstance(wrong, dict) else ""
        text = "; ".join(map(str, words)) if isinstance(words, list) else str(words)
        value = given.getlist(f.name) if f.shape == "pick" else given.get(f.name, "")
        now = replace(f, value=value, error=text)
        out.append(with_choices(now, registry[now.path], actor) if now.path else now)
    return out
