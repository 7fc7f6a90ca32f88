"""What the page of a record shows beside its facts, for every kind: a panel is a function and a template. To add one,
write the two and add a line to PANELS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from watchkeeper.console import attached, history
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.resource import Resource

#: what a panel's template gets as `panel`; None when there is nothing to show
Context = dict[str, Any] | None


@dataclass(frozen=True)
class Panel:
    """`place`: lead (under the title), body (the wide column, under the facts), after (at its end) or aside (the narrow
    one)."""

    place: str
    template: str
    show: Callable[[HttpRequest, Resource, Any, Actor], Context]


def _entry(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """What an entry of the audit trail says has changed."""
    act = history.of_entry(record, actor) if resource.path == "audit" else None
    return {"act": act} if act is not None and act.changes else None


#: in the order in which they are shown
PANELS = (
    Panel("body", "parts/audited.html", _entry),
    Panel("lead", "parts/tags.html", attached.tags),
    Panel("body", "parts/custom_field_use.html", attached.use_of_field),
    Panel("body", "parts/tagged.html", attached.tagged),
    Panel("body", "parts/custom_fields.html", attached.custom_fields),
    Panel("after", "parts/notes.html", attached.notes),
    Panel("aside", "parts/links.html", attached.links),
    Panel("aside", "parts/files.html", attached.files),
)


def panels(
    request: HttpRequest, resource: Resource, record: Any
) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Place → templates and what they get, for the page of this record."""
    out: dict[str, list[tuple[str, dict[str, Any]]]] = {"lead": [], "body": [], "after": [], "aside": []}
    for panel in PANELS:
        context = panel.show(request, resource, record, actor_of(request))
        if context is not None:
            out[panel.place].append((f"console/{panel.template}", context))
    return out
