"""Lists written as an export template says: which templates there are for a list, and the text of one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from watchkeeper.domains.lists.columns import referred
from watchkeeper.domains.lists.models import ExportTemplate
from watchkeeper.exchange import rendering
from watchkeeper.exchange.applying import rows_of
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import TooLarge

MOST = 10_000  # records of an export by a template


def templates_of(resource: Resource, actor: Actor) -> list[ExportTemplate]:
    """Those for a list that the actor may read, by name."""
    return list(visible(actor, "export-templates").filter(kind=resource.path).order_by("name"))


def template_of(resource: Resource, actor: Actor, name: str) -> ExportTemplate:
    """The template of this name. Raises BadQuery."""
    found = {t.name: t for t in templates_of(resource, actor)}
    if name not in found:
        known = f"there are: {', '.join(found)}" if found else "there are none"
        raise BadQuery(f"there is no export template {name!r} for {resource.plural}; {known}", "template")
    return found[name]


def written(template: ExportTemplate, resource: Resource, found: QuerySet[Any]) -> bytes:
    """A list as the template says. Raises BadTemplate, or TooLarge for too many records."""
    if found.order_by()[: MOST + 1].count() > MOST:
        raise TooLarge(f"more than {MOST:,} records: narrow the list, or export it as CSV, JSON or YAML")
    return rendered(rendering.Template(template.text, template.media_type), resource, found)


def rendered(template: rendering.Template, resource: Resource, found: QuerySet[Any]) -> bytes:
    """These records by a template, which may not be kept yet. Raises BadTemplate."""
    now = timezone.now().isoformat(timespec="seconds")
    return rendering.render(template, rows(resource, found), kind=resource.path, now=now)


def content_type(template: ExportTemplate) -> str:
    """For HTTP."""
    charset = "" if "charset" in template.media_type else "; charset=utf-8"
    return f"{template.media_type}{charset}"


def rows(resource: Resource, found: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Records as REST shows them, with the name of each record that is referred to: `rack` and `rack_name`."""
    references = referred(resource)
    named = found.select_related(*references) if references else found
    records = iter(named.iterator(chunk_size=500))
    while chunk := list(islice(records, 500)):
        keys = [r.pk for r in chunk]
        shown = rows_of(resource, resource.queryset().filter(pk__in=keys))
        known = {str(row["id"]): row for row in shown if "id" in row}
        for record in chunk:
            row = known.get(str(record.pk), {})
            yield row | {f"{n}_name": _name(record, n) for n in references if f"{n}_name" not in row}


def _name(record: Model, field: str) -> str:
    other = getattr(record, field, None)
    return "" if other is None else str(other)
