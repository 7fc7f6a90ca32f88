"""Changes on the pages of others, and what the page of a change shows: its risk, its plans and what it meets."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.annotations.notes import as_html
from watchkeeper.domains.changes import assessing, rules
from watchkeeper.domains.changes.models import Change
from watchkeeper.domains.desk import opening
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource, registry

_SHOWN = 5
_FROM = ("situations", "tickets", "problems")  # from whose pages changes are made, beside those of items
_HOUR = dt.timedelta(hours=1)


def of_change(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a change: its risk as it was assessed, and what it meets now in its window."""
    if not isinstance(record, Change):
        return None
    open_ = record.status in rules.BEFORE
    seen = (
        set(visible(actor, "changes").filter(status__in=rules.COMING).values_list("pk", flat=True))
        if open_
        else set()
    )
    met = [(c, why) for c, why in assessing.collisions(record) if c.pk in seen] if open_ else []
    frozen = assessing.freezes_of(record) if open_ else []
    return {"because": record.because, "collisions": met, "freezes": frozen, "about": _origin(record, actor)}


def _origin(change: Change, actor: Actor) -> tuple[str, str] | None:
    """Title and address of what it comes from, if that is there and may be read."""
    if not change.about_kind:
        return None
    try:
        resource, record = subject(change.about_kind, change.about)
    except NotThere:
        return None
    if not may(actor, "read", resource, record):
        return None
    return resource.title(record), f"/{resource.path}/{record.pk}/"


def plans(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a change: what is to be done, tested, and taken back."""
    if not isinstance(record, Change):
        return None
    named = (("Why", record.reason), ("Implementation", record.implementation), ("Test", record.test),
             ("Back-out", record.back_out), ("Review", record.review))  # fmt: skip
    shown = [(title, as_html(text)) for title, text in named if text]
    return {"plans": shown} if shown else None


def about(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of an item, a situation, a ticket or a problem: changes that are open about it, and where to plan one."""
    of_item = isinstance(record, Item)
    if not of_item and resource.path not in _FROM:
        return None
    found = visible(actor, "changes")
    if of_item:
        found = found.filter(items=record.pk, status__in=rules.OPEN)
    else:
        found = found.filter(about_kind=resource.path, about=str(record.pk))
    listed = list(found.order_by("-id")[:_SHOWN])
    new = _new(resource, record, actor) if may(actor, "create", registry["changes"]) else ""
    return {"changes": listed, "new": new} if listed or new else None


def _new(resource: Resource, record: Any, actor: Actor) -> str:
    """Where to plan a change about this, with what is known filled in."""
    begins = timezone.now().astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) + _HOUR
    given: dict[str, Any] = {
        "starts_at": f"{begins:%Y-%m-%dT%H:%M}:00Z",
        "ends_at": f"{begins + _HOUR:%Y-%m-%dT%H:%M}:00Z",
    }
    if isinstance(record, Item):
        given["items"] = [record.pk]
    else:
        given |= {
            "title": str(getattr(record, "title", record))[:300],
            "about_kind": resource.path,
            "about": record.pk,
        }
        keys = opening.proposed(record)["items"] if isinstance(record, Situation) else _keys(record)
        given["items"] = list(visible(actor, "items").filter(pk__in=keys).values_list("pk", flat=True))
    return f"/changes/new/?{urlencode(given, doseq=True)}"


def _keys(record: Any) -> list[str]:
    items = getattr(record, "items", None)
    return [str(k) for k in items.values_list("pk", flat=True)[:100]] if items is not None else []
