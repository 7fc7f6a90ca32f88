"""Major incidents on the pages of others: of a ticket whether it is one, of a major incident what was told and what is to be
told next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.desk import rules as desk_rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.majors import rules
from watchkeeper.domains.majors.models import MajorIncident, StatusPage
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

_SHOWN = 20


def of_ticket(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of an incident: the major incident that it is, or where to declare it."""
    if not isinstance(record, Ticket) or record.type != Ticket.Type.INCIDENT:
        return None
    found = visible(actor, "major-incidents").filter(ticket=record.pk).first()
    if found is not None:
        return {"major": found}
    if record.status not in desk_rules.OPEN or not may(actor, "create", registry["major-incidents"]):
        return None
    return {"new": f"/major-incidents/new/?{urlencode({'ticket': record.pk, 'title': record.title})}"}


def updates(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a major incident: what was told, when the next update is due, and where to write it."""
    if not isinstance(record, MajorIncident):
        return None
    writes = record.state != rules.RESOLVED and may(actor, "create", registry["status-updates"])
    due = record.next_update_at
    given = {"major": record.pk, "state": record.state, "back": f"/major-incidents/{record.pk}/"}
    return {
        "major": record,
        "updates": list(record.updates.all()[:_SHOWN]),
        "new": f"/status-updates/new/?{urlencode(given)}" if writes else "",
        "late": due is not None and due < timezone.now(),
        "pages": sorted({c.page for c in record.components.select_related("page")}, key=lambda p: p.name),
    }


def address(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a status page: where people see it, and who may."""
    if not isinstance(record, StatusPage):
        return None
    path = f"/status/{record.slug}/"
    return {"path": path, "url": request.build_absolute_uri(path), "public": record.public}
