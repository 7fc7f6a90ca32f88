"""One situation with its cause, reasons, graph, charts, logs and actions."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console import acting_on, evidence
from watchkeeper.console.record_panels import panels
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import inventory
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.resource import registry


@require_GET
@signed_in()
def situation(request: HttpRequest, key: str) -> HttpResponse:
    """One situation."""
    actor = actor_of(request)
    record = _get(actor, key)
    timeline = record.timeline.order_by("-at", "-id")[:100]
    if request.headers.get("HX-Target") == "timeline":
        return page(request, "parts/timeline.html", record=record, timeline=timeline, again=True)
    resource = registry["situations"]
    situations = visible(actor, resource)
    members = list(record.memberships.select_related("alert", "alert__item").order_by("position")[:200])
    names = inventory.names_of(
        [c.item for c in record.causes] + [m.alert.item_id for m in members if m.alert.item_id]
    )
    return page(
        request,
        "situation.html",
        title=record.title,
        resource=resource,
        record=record,
        causes=evidence.causes(record, names),
        members=members,
        timeline=timeline,
        actions=acting_on.forms(record, members, actor),
        panels=panels(request, resource, record),
        pending="pending" in request.GET,
        follows=situations.filter(pk=record.follows).first() if record.follows else None,
        merged=situations.filter(pk=record.merged_into).first() if record.merged_into else None,
        charts=evidence.charts(record, members),
        logs=evidence.logs(record, members),
    )


@require_GET
@signed_in()
def graph(request: HttpRequest, key: str) -> HttpResponse:
    """The affected part of the graph, its cause marked, for the picture."""
    actor = actor_of(request)
    return evidence.answer(evidence.affected(_get(actor, key), visible(actor, "items")))


def _get(actor: Actor, key: str) -> Situation:
    require(actor, "read", registry["situations"])
    record: Situation | None = visible(actor, "situations").filter(pk=key).first()
    if record is None:
        raise Http404
    return record
