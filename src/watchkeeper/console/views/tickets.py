"""What agents do on the page of a ticket beside its actions, and what their time comes to."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST

from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import page, signed_in, trouble
from watchkeeper.domains import identity
from watchkeeper.domains.desk.models import Queue
from watchkeeper.domains.desk.prefilling.opening import steps_of
from watchkeeper.domains.desk.presence.looking import look
from watchkeeper.domains.desk.timing import spending
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of


@require_POST
@signed_in()
def presence(request: HttpRequest, key: str) -> HttpResponse:
    """This reader has the ticket open, or is changing it; who else has."""
    actor = actor_of(request)
    require(actor, "read", registry["tickets"])
    _, ticket = found(actor, "tickets", key)
    others = look(ticket, actor.person, editing="editing" in request.POST) if actor.person else []
    return page(request, "parts/presence.html", others=others)


@require_POST
@signed_in()
def steps(request: HttpRequest, key: str) -> HttpResponse:
    """Steps for its checklist, one a line."""
    actor = actor_of(request)
    _, ticket = found(actor, "tickets", key)
    resource = registry["checklist-items"]
    last = ticket.steps.order_by("-position").values_list("position", flat=True).first() or 0
    try:
        for number, text in enumerate(steps_of(request.POST.get("steps", "")), 1):
            data = {"ticket": ticket.pk, "text": text, "position": min(last + number, 32_767)}
            given = serializer_of(resource)(data=data, context={"request": request, "actor": actor})
            given.is_valid(raise_exception=True)
            doing.create(resource, actor, given)
    except Invalid as error:
        return trouble(request, 400, "The step was not added", error.detail, back=f"/tickets/{ticket.pk}/")
    return HttpResponseRedirect(f"/tickets/{ticket.pk}/#checklist")


@require_GET
@signed_in()
def time(request: HttpRequest) -> HttpResponse:
    """What the time spent on tickets comes to."""
    actor = actor_of(request)
    require(actor, "read", registry["time-entries"])
    by = request.GET.get("by", "")
    by = by if by in spending.BY else "month"
    zone = ZoneInfo(identity.preference_of(request.user).zone or "UTC")  # type: ignore[arg-type]
    begins, ends, error = _days(request)
    asked = _asked(begins, ends, request.GET.get("queue", ""), zone)
    spent = spending.asked_sums(actor, {"by": by, **asked}, zone)
    kept = urlencode({n: request.GET[n] for n in ("from", "until", "queue") if request.GET.get(n)})
    return page(
        request, "time_sums.html", title="Time spent", by=by, ways=list(spending.BY), spent=spent, kept=kept, error=error,
        begins=begins.isoformat() if begins else "", ends=ends.isoformat() if ends else "",
        queue=asked.get("ticket__queue", ""), queues=visible(actor, "queues", Queue.objects.all()).order_by("name"),
        minutes=sum(s.minutes for s in spent), billable=sum(s.billable for s in spent),
        entries=sum(s.entries for s in spent),
    )  # fmt: skip


def _days(request: HttpRequest) -> tuple[dt.date | None, dt.date | None, str]:
    """The first and the last day; in words what is wrong with them."""
    days: list[dt.date | None] = []
    error = ""
    for name in ("from", "until"):
        try:
            days.append(dt.date.fromisoformat(request.GET[name]) if request.GET.get(name) else None)
        except ValueError:
            days.append(None)
            error = f"“{request.GET[name]}” is not a day such as 2026-01-31."
    return days[0], days[1], error


def _asked(begins: dt.date | None, ends: dt.date | None, queue: str, zone: ZoneInfo) -> dict[str, Any]:
    """As the filters of time entries take it, by the reader's clocks."""
    out: dict[str, Any] = {"ticket__queue": queue} if queue else {}
    if begins:
        out["began_at__gte"] = dt.datetime.combine(begins, dt.time(), zone).isoformat()
    if ends and ends < dt.date.max:
        out["began_at__lt"] = dt.datetime.combine(ends + dt.timedelta(days=1), dt.time(), zone).isoformat()
    return out
