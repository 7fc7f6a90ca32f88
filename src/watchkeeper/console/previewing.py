"""What an export template writes for a real record, before it is saved."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from watchkeeper.domains.lists import templates
from watchkeeper.exchange import rendering
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

SHOWN = 20_000  # characters
RECORDS = 3


@dataclass(frozen=True)
class Preview:
    """The text, or what is wrong, and the records it was made of."""

    text: str = ""
    error: str = ""
    records: tuple[str, ...] = ()


def of(resource: Resource) -> bool:
    """Whether records of this kind can be previewed."""
    return resource.path == "export-templates"


def preview(actor: Actor, given: QueryDict) -> Preview:
    """Of the first records of the list that the form names."""
    kind = next((r for r in registry if r.path == given.get("kind", "")), None)
    if kind is None or not may(actor, "read", kind):
        return Preview(error=f"there is no list {given.get('kind', '')!r}")
    found = visible(actor, kind).order_by(*kind.ordering)
    first = list(found[:RECORDS])
    if not first:
        return Preview(error=f"there are no {kind.plural} to try it with")
    template = rendering.Template(given.get("text", ""), given.get("media_type", ""))
    try:
        text = templates.rendered(template, kind, found.filter(pk__in=[r.pk for r in first])).decode()
    except rendering.BadTemplate as error:
        return Preview(error=error.detail)
    return Preview(text[:SHOWN], records=tuple(kind.title(r) for r in first))
