"""A queue's page: how people found what was done about its tickets, month by month."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.desk.models import Queue
from watchkeeper.domains.portal.models import Survey
from watchkeeper.domains.portal.ratings import by_month
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry


def of_queue(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a queue: asked, answered and the mean of each month, as far as the reader may see surveys."""
    if not isinstance(record, Queue) or not may(actor, "read", registry["surveys"]):
        return None
    seen = visible(actor, "surveys", Survey.objects.all()).filter(ticket__queue=record)
    months = by_month(seen)
    return {"months": months, "queue": record} if months else None
