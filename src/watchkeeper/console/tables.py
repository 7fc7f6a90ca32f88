"""The console's tables: cells of a record and boxes for its filters, from the Resource declaration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.utils.dateformat import format as date_format
from django.utils.html import format_html, urlize
from django.utils.safestring import SafeString

from watchkeeper.console.desk import due
from watchkeeper.console.foreseen import now_of, of_what
from watchkeeper.console.templatetags.console import ago, badge, chips, many
from watchkeeper.console.wording import called, choice, plain
from watchkeeper.domains.audit.deeds import deed
from watchkeeper.domains.automation.models import Does
from watchkeeper.domains.desk.recurring.rules import in_words
from watchkeeper.domains.lists import columns
from watchkeeper.domains.runbooks import deeds
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import SeverityField
from watchkeeper.kernel.resource import Column, Resource, Show
from watchkeeper.model.verdicts import Severity

MOST_KINDS = 50
#: numbers that a list stands behind, by kind and column → the address of the list, or of the page that leads to several
COUNTED: dict[tuple[str, str], Callable[[Any], str]] = {
    ("situations", "alert_count"): lambda s: f"/alerts/?memberships__situation={s.pk}",
    ("custom-fields", "records"): lambda f: f"/{f.kind}/?cf_{f.name}__isnull=false",
    ("tags", "records"): lambda t: f"/tags/{t.pk}/",
}

#: cells that say more than their value, by kind and column
OF_RECORD: dict[tuple[str, str], Callable[[Any], SafeString]] = {
    ("tickets", "resolution_due_at"): due,
    ("forecasts", "item"): of_what,
    ("forecasts", "now_in_words"): now_of,
}


@dataclass(frozen=True)
class Row:
    """One record with its cells."""

    record: Any
    resource: Resource
    cells: list[tuple[Column, SafeString]]

    @property
    def url(self) -> str:
        """The record's own page."""
        return f"/{self.resource.path}/{self.record.pk}/"

    @property
    def title(self) -> str:
        """What people call it."""
        return self.resource.title(self.record)

    @property
    def severity(self) -> str:
        """For the coloured edge; empty when the kind has none."""
        return str(getattr(self.record, "severity", "") or "")


@dataclass(frozen=True)
class Box:
    """A filter that can be chosen from a list."""

    name: str
    label: str
    choices: list[tuple[str, str]]
    value: str


def cells(
    resource: Resource, record: Any, columns: Sequence[Column] = (), values: Sequence[Any] = ()
) -> list[tuple[Column, SafeString]]:
    """The values of the columns, those of the declaration where none are given, each drawn as its column says."""
    shown = columns or resource.columns
    found = values if columns else [c.value(record) for c in shown]
    url = f"/{resource.path}/{record.pk}/"
    return [(c, _cell(resource, c, value, url, record)) for c, value in zip(shown, found, strict=True)]


def rows(resource: Resource, actor: Actor, shown: Sequence[Column], records: Iterable[Any]) -> list[Row]:
    """Records with their cells in the chosen columns, of which at least one leads to the record."""
    found = list(records)
    if shown and not any(c.link for c in shown):
        shown = [replace(shown[0], link=True), *shown[1:]]
    values = columns.values(resource, actor, shown, found)
    return [Row(r, resource, cells(resource, r, shown, v)) for r, v in zip(found, values, strict=True)]


def _cell(resource: Resource, column: Column, value: Any, url: str, record: Any) -> SafeString:
    if value and (there := COUNTED.get((resource.path, column.name))):
        return format_html('<a href="{}">{}</a>', there(record), many(value))
    if (whole := OF_RECORD.get((resource.path, column.name))) is not None:
        return whole(record)
    words = None if column.link else drawn(resource, column.name, value)
    if words is None and column.show is Show.STATE and not column.link and value not in ("", None):
        words = badge(value, choice(resource, column.name, value, short=True))
    return _draw(column, value, url) if words is None else words


def _from_one(value: int) -> SafeString:
    return SafeString(value + 1 or "none yet")  # people count from one


_ACTORS = {"user": "a person", "token": "an API token"}
#: values that say too little as they are, by kind and field → what they mean
_MEANS: dict[tuple[str, str], Callable[[Any], SafeString]] = {
    ("audit", "act"): lambda v: format_html("{}", deed(str(v))),
    ("audit", "actor_kind"): lambda v: SafeString(_ACTORS.get(str(v), str(v))),
    ("proofs", "clean"): lambda v: SafeString("yes" if v else "no"),
    ("escalations", "round"): _from_one,
    ("escalations", "position"): _from_one,
    ("pages", "round"): _from_one,
    ("pages", "position"): _from_one,
    ("recurring-tickets", "rule"): lambda v: format_html("{}", in_words(str(v))),
    ("event-rules", "does"): lambda v: SafeString(Does(v).label),
    ("capacity-rules", "lead_days"): lambda v: SafeString(f"{v:g}"),
    ("intake-keys", "rate"): lambda v: SafeString("no limit" if not v else f"{many(v)} rows a second"),
}


def drawn(resource: Resource, name: str, value: Any) -> SafeString | None:
    """What a field of this kind means in words, where the bare value says too little; None where it is plain."""
    if (means := _MEANS.get((resource.path, name))) is not None:
        return means(value)
    match resource.path, name:
        case "jobs", "arguments" if isinstance(value, dict) and "held" in value:
            return SafeString("a file that was uploaded")
        case "runbook-steps" | "catalog-tasks", "does" if value:
            return format_html("{}", dict(deeds.choices()).get(value, value))
        case "request-tasks", "note" if value:
            return SafeString(urlize(value, autoescape=True).replace("\n", "<br>"))
        case "service-reports", "month" if value:
            return format_html("{}", date_format(dt.date.fromisoformat(str(value)), "F Y"))
    return None


def _draw(column: Column, value: Any, url: str) -> SafeString:
    match column.show:
        case Show.TIME:
            shown = ago(value)
        case Show.SEVERITY | Show.STATE:
            shown = badge(value) if value not in ("", None) else SafeString("–")
        case Show.COUNT:
            shown = SafeString(many(value))
        case Show.TAGS:
            tags = value.items() if isinstance(value, dict) else ((v, "") for v in value or ())
            shown = chips(dict(list(tags)[:6])) if tags else SafeString("–")
        case Show.YES:
            shown = SafeString("yes" if value else "–")
        case _ if value in ("", None, [], {}):
            shown = SafeString("–")
        case _ if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            shown = format_html('<span class="text-nowrap">{}</span>', value.isoformat())
        case _:
            shown = (
                plain(value) if isinstance(value, bool | dict | list | tuple) else format_html("{}", value)
            )
    return format_html('<a href="{}" class="wk-link">{}</a>', url, shown) if column.link else shown


def filter_boxes(resource: Resource, given: dict[str, str], among: QuerySet[Any]) -> list[Box]:
    """Among these records, a box for every filter with few, known values."""
    boxes = []
    for name, lookups in resource.filters.items():
        if "exact" not in lookups:
            continue
        try:
            field: Any = resource.model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        if isinstance(field, SeverityField):
            choices = [(s.value, s.value) for s in reversed(Severity)]
        elif getattr(field, "choices", None):
            choices = [(str(v), str(label).replace("_", " ")) for v, label in field.choices if v != ""]
        elif field.get_internal_type() == "BooleanField":
            choices = [("true", "yes"), ("false", "no")]
        elif name == "kind":
            found = among.exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct()
            choices = [(k, k.replace("_", " ")) for k in found[:MOST_KINDS]]
        else:
            continue
        boxes.append(Box(name, called(resource, name), choices, given.get(name, "")))
    return boxes
