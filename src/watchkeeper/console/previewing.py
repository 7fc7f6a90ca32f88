"""What a record would do, before it is saved: what an export template writes, what a silence holds back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from watchkeeper.console.fields import Field
from watchkeeper.domains.lists import templates
from watchkeeper.domains.situations.holding_back import would_hold_back
from watchkeeper.domains.situations.silencing import about_of
from watchkeeper.exchange import rendering
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import told
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

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


def held_back(resource: Resource, actor: Actor, given: dict[str, Any]) -> dict[str, Any]:
    """For the form of a silence: which alerts it would hold back, as far as it is filled in; nothing for other kinds."""
    if resource.path != "silences":
        return {}
    wanted = {name: given[name] for name in ("matchers", "items", "reach") if given.get(name)}
    if not {"matchers", "items"} & wanted.keys():
        return {"holds": None}
    serializer = serializer_of(resource)(data=wanted, partial=True, context={"actor": actor})
    if not serializer.is_valid():
        return {"holds_wrong": " ".join(words for _, words in told(serializer.errors))}
    try:
        return {"holds": would_hold_back(actor, about_of(serializer.validated_data))}
    except WatchkeeperError as error:
        return {"holds_wrong": error.detail}


def in_boxes(fields: Sequence[Field]) -> dict[str, Any]:
    """What a form says before anything is typed, as the serializer takes it."""
    return {f.name: f.repeated.value(f.value or []) if f.repeated else f.value for f in fields}


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
