"""What a rule would have done, what a silence would hold back, and what a mapping makes of a payload, for the forms in
which they are written; as htmx asks for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from watchkeeper.console import previewing
from watchkeeper.console.fields import fields_of, read
from watchkeeper.console.templatetags.console import as_time
from watchkeeper.console.views.page import signed_in
from watchkeeper.domains.automation import trying
from watchkeeper.domains.correlation import trying as grouping
from watchkeeper.domains.inbox.rules import sentence
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.doors import Mapping
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.verdicts import DEDUP_KEY, Severity
from watchkeeper.receivers.events import Reported, linkable
from watchkeeper.receivers.webhooks import custom, mapping

SHOWN = 20  # alerts of a payload


@require_POST
@signed_in()
def try_rule(request: HttpRequest) -> HttpResponse:
    """The answer, or what is wrong with what was written; nothing is saved."""
    resource, actor = registry["event-rules"], actor_of(request)
    require(actor, "create", resource)
    given = read(fields_of(serializer_of(resource), actor), request.POST, actor)
    kinds = [k for k in given.get("kinds", []) if k in {r.path for r in registry}]
    if not kinds:
        return _answer(request, trouble="Choose a kind of record first.")
    try:
        tried = trying.try_out(actor, kinds, given.get("acts", []), given.get("condition", ""))
    except WatchkeeperError as error:
        return _answer(request, trouble=f"The condition: {error.detail}.")
    told = [(as_time(e.at), sentence(e, registry[e.kind].name)) for e in tried.examples]
    return _answer(request, tried=tried, told=told)


@require_POST
@signed_in()
def try_grouping(request: HttpRequest) -> HttpResponse:
    """Which of the last alerts a grouping rule would have taken, or what is wrong with it; nothing is saved."""
    resource, actor = registry["grouping-rules"], actor_of(request)
    require(actor, "create", resource)
    require(actor, "read", registry["alerts"])
    given = read(fields_of(serializer_of(resource), actor), request.POST, actor)
    part = "console/parts/tried_grouping.html"
    if not given.get("condition"):
        return render(request, part, {"trouble": "Write a condition first."})
    try:
        within, count = int(given.get("window_seconds") or 600), int(given.get("at_least") or 1)
        tried = grouping.try_out(actor, given["condition"], given.get("group_by") or [], within, count)
    except ValueError:
        return render(request, part, {"trouble": "The time and the count are whole numbers."})
    except WatchkeeperError as error:
        return render(request, part, {"trouble": f"The condition: {error.detail}."})
    return render(request, part, {"tried": tried, "shown": tried.groups[: grouping.SHOWN]})


@require_POST
@signed_in()
def try_silence(request: HttpRequest) -> HttpResponse:
    """Which alerts that fire now a silence would hold back; nothing is saved."""
    resource, actor = registry["silences"], actor_of(request)
    require(actor, "create", resource)
    given = read(fields_of(serializer_of(resource), actor), request.POST, actor)
    return render(request, "console/parts/holds_back.html", previewing.held_back(resource, actor, given))


@require_POST
@signed_in()
def try_mapping(request: HttpRequest) -> HttpResponse:
    """The alerts that a mapping finds in a pasted payload, or what is wrong with either; nothing is saved."""
    resource, actor = registry["payload-mappings"], actor_of(request)
    require(actor, "create", resource)
    written = {name: request.POST.get(name, "").strip() for name in Mapping.__struct_fields__}
    payload = request.POST.get("payload", "").strip()
    part = "console/parts/tried_mapping.html"
    if not payload:
        return render(request, part, {"trouble": "Paste a payload first, as the sender sends it."})
    if not written["name_from"]:
        return render(request, part, {"trouble": "Name from is needed: what an alert is called."})
    try:
        found = mapping.read(Mapping(**written), custom.parse(payload.encode("utf-8", "replace")))
    except WatchkeeperError as error:
        return render(request, part, {"trouble": error.detail})
    alerts = [_shown(r) for r in found[:SHOWN]]
    return render(request, part, {"alerts": alerts, "count": len(found), "more": len(found) - len(alerts)})


def _shown(r: Reported) -> dict[str, Any]:
    """An alert as it would be kept."""
    labels = {k: v for k, v in r.labels.items() if k and v and k != DEDUP_KEY}
    return {
        "name": r.name, "status": "firing" if r.firing else "resolved", "severity": Severity.parse(r.severity).value,
        "summary": r.summary, "labels": labels, "identity": r.labels.get(DEDUP_KEY, ""), "url": linkable(r.url),
        "annotations": {k: v for k, v in r.annotations.items() if k and v},
        "starts": _moment(r.starts_ms), "ends": _moment(r.ends_ms),
    }  # fmt: skip


def _moment(ms: int) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC) if ms else None


def _answer(request: HttpRequest, **context: object) -> HttpResponse:
    return render(request, "console/parts/tried.html", context)
