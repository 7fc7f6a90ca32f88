"""On the pages of situations and tickets: who was paged about them, and a way to page somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest

from watchkeeper.domains.oncall.paging.models import Escalation, Page
from watchkeeper.domains.oncall.paging.running_resources import KINDS
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource, registry

_ESCALATIONS, _PAGES = 3, 12


def about(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Its escalations and those of its situation, newest first, with their pages; and where to page somebody."""
    if resource.path not in KINDS:
        return None
    about = Q(kind=resource.path, record=str(record.pk))
    if situation := getattr(record, "situation_id", None):  # an incident is paged about by its situation
        about |= Q(kind="situations", record=situation)
    found = visible(actor, "escalations").filter(about)[:_ESCALATIONS]
    kind = registry["escalations"]
    over = getattr(record, "state", getattr(record, "status", "")) in ("resolved", "closed", "cancelled")
    new = "" if over or not may(actor, "create", kind) else f"/escalations/new/?{_given(resource, record)}"
    shown = [_shown(escalation, actor) for escalation in found]
    return {"escalations": shown, "new": new} if shown or new else None


def heading(actor: Actor, given: Mapping[str, Any]) -> str:
    """Of the form that pages somebody about a record; "" where that is not known yet."""
    try:
        kind, record = subject(given.get("kind", ""), given.get("record", ""))
    except NotThere:
        return ""
    seen = visible(actor, kind).filter(pk=record.pk).exists()
    return f"Page somebody about {kind.title(record)}" if seen and kind.path in KINDS else ""


def _given(resource: Resource, record: Any) -> str:
    return urlencode({"kind": resource.path, "record": record.pk})


def _shown(escalation: Escalation, actor: Actor) -> dict[str, Any]:
    runs = escalation.state == Escalation.State.RUNNING
    pages = Page.objects.filter(escalation=escalation).select_related("person").order_by("-at", "-id")
    return {
        "escalation": escalation,
        "pages": pages[:_PAGES],
        "stop": runs and may(actor, "stop", registry["escalations"], escalation),
    }
