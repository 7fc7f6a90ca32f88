"""Explore logs: the lines that match a query, how many and when, what they have in common, and what is around one."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.inventory.models import Identifier, Item
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import NotThere
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import log_groups, logs
from watchkeeper.telemetry.queries.log_language import narrowed

SPANS = ((900, "15 min"), (3600, "1 h"), (6 * 3600, "6 h"), (86400, "1 d"), (7 * 86400, "7 d"))
PAGE = 100
PATTERNS = 12


@require_GET
@signed_in(Scope.READ)
def explore(request: HttpRequest) -> HttpResponse:
    """The page, or its result when htmx asks."""
    given = request.GET
    query, now = given.get("q", "").strip(), int(time.time() * 1000)
    last = _whole(given.get("last"), 3600)
    end = _whole(given.get("to"), now)
    begin = _whole(given.get("from"), end - last * 1000)
    fixed = "from" in given
    try:
        found = _found(query, begin, end, given.get("before", ""), now)
    except WatchkeeperError as error:
        found = {"trouble": error.detail}
    part = "parts/log_lines.html" if request.headers.get("HX-Target") == "lines" else "logs.html"
    return page(
        request, part, title="Logs", query=query, last=last, spans=SPANS, fixed=fixed, begin=begin, end=end,
        following=not fixed and "before" not in given, **found,
    )  # fmt: skip


def _found(query: str, begin: int, end: int, before: str, now: int) -> dict[str, Any]:
    """What the page shows of the lines that match. Raises WatchkeeperError."""
    store = ports.the_telemetry()
    span: dict[str, Any] = {"from_ms": begin, "to_ms": end}
    after = logs.newest_position(store, now)  # before the lines are read, so that none is missed between
    lines, more = logs.search(store, query, **span, before=before, limit=PAGE)
    bars = logs.histogram(store, query, **span)
    groups = log_groups.facets(store, query, **span)
    shapes = log_groups.templates(store, query, **span, limit=PATTERNS)
    return {
        "lines": lines, "more": more, "after": after, "total": sum(b.count for b in bars),
        "bars": json.dumps([[int(b.time.timestamp() * 1000), b.severities] for b in bars]),
        "facets": [
            (name, [(v, *_both(query, name, v.value)) for v in values]) for name, values in groups.items() if values
        ],
        "shapes": [(s, _both(query, "template", str(s.id))[0], _heights(s.course)) for s in shapes],
    }  # fmt: skip


@require_GET
@signed_in(Scope.READ)
def line(request: HttpRequest) -> HttpResponse:
    """All that one line says, for below it: each value with the queries that want it, and want it not."""
    query = request.GET.get("q", "")
    found = _line(request)
    named = {
        "severity": found.level, "host": found.host, "service": found.service, "source": found.source,
        "template": str(found.template_id or ""), "trace": found.trace_id, "span": found.span_id, "door": found.door,
        **{f"label.{name}": value for name, value in found.labels.items()},
    }  # fmt: skip
    fields = [(n, v, *_both(query, n, v)) for n, v in named.items() if v and '"' not in n]
    around = urlencode({"place": found.place})
    return page(
        request,
        "parts/log_line.html",
        line=found,
        fields=fields,
        around=around,
        item=_item(request, found.host),
    )


@require_GET
@signed_in(Scope.READ)
def around(request: HttpRequest) -> HttpResponse:
    """A line among those that its host wrote before and after it."""
    found = _line(request)
    lines = logs.surrounding(ports.the_telemetry(), found.place, found.host)
    return page(request, "log_around.html", title="Around a line", line=found, lines=lines, query="")


def _line(request: HttpRequest) -> logs.Line:
    found = logs.one(ports.the_telemetry(), request.GET.get("place", ""))
    if found is None:
        raise NotThere("this line has been forgotten: logs are kept for a time only")
    return found


def _item(request: HttpRequest, host: str) -> Item | None:
    """The item of the inventory that has this name now, if the reader may see it."""
    names = Identifier.objects.filter(scheme="hostname", value=host.lower(), valid_to=None)
    return visible(actor_of(request), "items", Item.objects.filter(pk__in=names.values("item"))).first()


def _both(query: str, field: str, value: str) -> tuple[str, str]:
    """The queries for the lines that have this value, and for those that have not."""
    return narrowed(query, field, value), narrowed(query, field, value, without=True)


def _heights(course: tuple[int, ...]) -> str:
    """A course as points of a line, in a box of 100 by 20."""
    top, width = max(course) or 1, 100 / max(1, len(course) - 1)
    return " ".join(f"{i * width:.1f},{20 - 18 * n / top:.1f}" for i, n in enumerate(course))


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 14 else default
