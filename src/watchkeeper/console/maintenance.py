"""Maintenance on the pages of alerts, items and situations: whether it runs now, and how to plan it or to silence."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.inventory.models import Item, Relation
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

_FIRST = dt.timedelta(hours=2)  # how long a window or silence is to begin with
_LEVELS, _MOST = 8, 2000  # of what an item needs
_CARRIED = ("runs_on", "member_of")


def about(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """The windows that hold this record's alerts back, and where to plan one or to silence it."""
    if isinstance(record, Alert):
        windows, links = _held((record,), actor), [*_plan(record.item_id, actor), *_silence(record, actor)]
    elif isinstance(record, Situation):
        firing = Alert.objects.filter(situation=record, status="firing").exclude(suppressed_by="")
        windows, links = _held(firing[:200], actor), []
    elif isinstance(record, Item):
        windows, links = covering(record.pk, actor), [*_plan(record.pk, actor), *_silence_item(record, actor)]
    else:
        return None
    return {"windows": windows, "links": links} if windows or links else None


def _held(alerts: Any, actor: Actor) -> list[MaintenanceWindow]:
    keys = {
        a.suppressed_by.removeprefix("maintenance:")
        for a in alerts
        if a.suppressed_by.startswith("maintenance:")
    }
    return list(visible(actor, "maintenance-windows").filter(pk__in=keys)) if keys else []


def covering(item: str, actor: Actor) -> list[MaintenanceWindow]:
    """The windows that run now and reach this item: because they name it, or something that it is part of or needs."""
    named = visible(actor, "maintenance-windows").exclude(of_items=False).prefetch_related("items")
    running = [w for w in named if w.state == "running" and not w.labels]
    if not running:
        return []
    above = {
        "items": {item},
        "carried": needed(item, _CARRIED),
        "dependent": needed(item, (*_CARRIED, "depends_on")),
    }
    return [w for w in running if any(str(i.pk) in above[w.reach] for i in w.items.all())]


def needed(item: str, kinds: tuple[str, ...]) -> set[str]:
    """This item, what contains it, and what it needs by relations of these kinds, and so on up."""
    found, edge = {item}, {item}
    for _ in range(_LEVELS):
        now = Relation.objects.filter(valid_to=None)
        above = now.filter(source__in=edge, kind__in=kinds).values_list("target_id", flat=True)[:_MOST]
        around = now.filter(target__in=edge, kind="contains").values_list("source_id", flat=True)[:_MOST]
        edge = {str(i) for i in (*above, *around)} - found
        if not edge or len(found) > _MOST:
            break
        found |= edge
    return found


def _plan(item: str | None, actor: Actor) -> list[tuple[str, str]]:
    if item is None or not may(actor, "create", registry["maintenance-windows"]):
        return []
    begins, ends = _soon()
    given = {"items": item, "starts_at": begins, "ends_at": ends}
    return [("Maintenance…", f"/maintenance-windows/new/?{urlencode(given)}")]


def _silence(alert: Alert, actor: Actor) -> list[tuple[str, str]]:
    if alert.status != "firing" or alert.suppressed_by or not may(actor, "create", registry["silences"]):
        return []
    labels = {"alertname": alert.name, **alert.labels}
    # Not its severity, which may change while it fires.
    matchers = json.dumps([{"name": k, "value": v} for k, v in labels.items() if v and k != "severity"])
    begins, ends = _soon()
    given = {
        "matchers": matchers,
        "starts_at": begins,
        "ends_at": ends,
        "comment": f"Silence of {alert.name}",
    }
    return [("Silence…", f"/silences/new/?{urlencode(given)}")]


def _silence_item(item: Item, actor: Actor) -> list[tuple[str, str]]:
    if not may(actor, "create", registry["silences"]):
        return []
    begins, ends = _soon()
    given = {"items": item.pk, "starts_at": begins, "ends_at": ends, "comment": f"Silence of {item.name}"}
    return [("Silence…", f"/silences/new/?{urlencode(given)}")]


def _soon() -> tuple[str, str]:
    """From now, for a while: the browser shows it in the reader's zone."""
    now = timezone.now().astimezone(dt.UTC)
    return f"{now:%Y-%m-%dT%H:%M}:00Z", f"{now + _FIRST:%Y-%m-%dT%H:%M}:00Z"
