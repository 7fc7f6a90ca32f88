"""Explore logs: search by words, host, service, severity and template; how many, when; and what shapes there are."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import logs

SPANS = ((900, "15 min"), (3600, "1 h"), (6 * 3600, "6 h"), (86400, "1 d"), (7 * 86400, "7 d"))
#: OpenTelemetry SeverityNumber from which a level counts
LEVELS = ((0, "Any severity"), (9, "Info and worse"), (13, "Warnings and worse"), (17, "Errors and worse"))
PAGE = 100


@require_GET
@signed_in(Scope.READ)
def explore(request: HttpRequest) -> HttpResponse:
    """The page, or its result when htmx asks."""
    given = request.GET
    last = int(given["last"]) if given.get("last", "").isdigit() else 3600
    end = int(given["to"]) if given.get("to", "").isdigit() else int(time.time() * 1000)
    begin = int(given["from"]) if given.get("from", "").isdigit() else end - last * 1000
    asked: dict[str, Any] = {
        "text": given.get("text", "").strip(), "host": given.get("host", ""), "service": given.get("service", ""),
        "severity": int(given["severity"]) if given.get("severity", "").isdigit() else 0,
        "template": int(given["template"]) if given.get("template", "").isdigit() else 0,
        "from_ms": begin, "to_ms": end,
    }  # fmt: skip
    try:
        store = ports.the_telemetry()
        lines, more = logs.search(store, **asked, before=given.get("before", ""), limit=PAGE)
        bars = logs.histogram(store, **asked, bars=60)
        shapes = logs.templates(store, from_ms=begin, to_ms=end, limit=12)
        trouble = ""
    except WatchkeeperError as error:
        lines, more, bars, shapes, trouble = [], "", [], [], error.detail
    top = max((b.count for b in bars), default=0) or 1
    part = "parts/log_lines.html" if request.headers.get("HX-Target") == "lines" else "logs.html"
    return page(
        request, part, title="Logs", lines=lines, more=more, asked=asked, last=last, spans=SPANS, levels=LEVELS,
        bars=[_bar(b, top) for b in bars],
        shapes=shapes, trouble=trouble, fixed="from" in given,
    )  # fmt: skip


def _bar(bar: logs.Bar, top: int) -> dict[str, Any]:
    """A bar's height in percent of the highest, and how much of it is errors in percent of itself."""
    bad = bar.severities.get("error", 0) + bar.severities.get("fatal", 0)
    return {
        "share": round(100 * bar.count / top), "count": bar.count, "time": bar.time, "bad": bad,
        "bad_share": round(100 * bad / bar.count) if bar.count else 0,
    }  # fmt: skip
