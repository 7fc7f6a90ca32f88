"""Situations: the live list, and one situation with its cause, reasons, graph, charts, logs and actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
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
from watchkeeper.model.verdicts import Severity

STATES = {"": "Open", "acknowledged": "Acknowledged", "resolved": "Resolved", "all": "All"}


def with_cause(found: Iterable[Situation]) -> list[dict[str, Any]]:
    """Situations with the names of their first cause, read in one query."""
    records = list(found)
    names = inventory.names_of(s.causes[0].item for s in records if s.causes)
    return [
        {"s": s, "cause": names.get(s.causes[0].item, s.causes[0].item) if s.causes else ""} for s in records
    ]


@require_GET
@signed_in()
def listing(request: HttpRequest) -> HttpResponse:
    """Situations, the newest first; those that are open unless another state is asked for."""
    state, words = request.GET.get("state", ""), request.GET.get("search", "")
    resource = registry["situations"]
    require(actor_of(request), "read", resource)
    found = visible(actor_of(request), resource).filter(merged_into="").order_by("-opened_at", "-pk")
    if state == "":
        found = found.exclude(state="resolved")
    elif state != "all":
        found = found.filter(state=state)
    if (severity := request.GET.get("severity", "")) in set(Severity):
        found = found.filter(severity=Severity(severity))
    for word in words.split():
        found = found.filter(title__icontains=word)
    shown = Paginator(found, 30).get_page(request.GET.get("page"))
    part = "parts/situations.html" if request.headers.get("HX-Target") == "situations" else "situations.html"
    return page(
        request, part, title="Situations", rows=with_cause(shown), shown=shown, state=state, words=words,
        states=STATES.items(), severities=list(reversed(Severity)), severity=severity,
        kind=registry["situations"], export_query=_as_list(state, severity, words),
    )  # fmt: skip


def _as_list(state: str, severity: str, words: str) -> str:
    """The same in the parameters of the kind's own list."""
    states = {"": {"state__in": "open,acknowledged"}, "all": {"all": "1"}}.get(state, {"state": state})
    return urlencode({**states, **{k: v for k, v in (("severity", severity), ("search", words)) if v}})


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
        causes=[
            {"cause": c, "name": names.get(c.item, c.item), "share": round(c.score * 100)}
            for c in record.causes
        ],
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
