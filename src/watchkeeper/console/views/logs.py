"""Explore logs: search by words, host, service, severity and template; how many, when; and what shapes there are."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.metrics import SPANS, whole
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import logs
from watchkeeper.telemetry.queries.logs import LogFilter
from watchkeeper.telemetry.queries.window import Window

#: OpenTelemetry SeverityNumber from which a level counts
LEVELS = ((0, "Any severity"), (9, "Info and worse"), (13, "Warnings and worse"), (17, "Errors and worse"))
PAGE = 100
BARS = 60
SHAPES = 12


@dataclass
class Found:
    """What the page shows of one search."""

    lines: list[logs.Log] = field(default_factory=list)
    more: str = ""
    bars: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[logs.TemplateCount] = field(default_factory=list)
    trouble: str = ""


@require_GET
@signed_in()
def explore(request: HttpRequest) -> HttpResponse:
    """The page, or its result when htmx asks."""
    given = request.GET
    last = whole(given.get("last"), 3600)
    end = whole(given.get("to"), int(time.time() * 1000))
    window = Window(whole(given.get("from"), end - last * 1000), end)
    host, service = given.get("host", "").strip(), given.get("service", "").strip()
    template = int(given["template"]) if given.get("template", "").isdigit() else 0
    wanted = LogFilter(
        text=given.get("text", "").strip(), hosts=(host,) if host else (), services=(service,) if service else (),
        min_severity=whole(given.get("severity"), 0), templates=(template,) if template else (),
    )  # fmt: skip
    part = "parts/log_lines.html" if request.headers.get("HX-Target") == "lines" else "logs.html"
    return page(
        request, part, title="Logs", found=_find(window, wanted, given.get("before", "")), wanted=wanted, host=host,
        service=service, last=last, spans=SPANS, levels=LEVELS, fixed="from" in given,
    )  # fmt: skip


def _find(window: Window, wanted: LogFilter, before: str) -> Found:
    ns, _, position = before.partition("-")
    place = (int(ns), int(position)) if ns.isdigit() and position.isdigit() else None
    try:
        store = ports.the_telemetry()
        lines = logs.search(store, window, wanted, limit=PAGE, before=place)
        counts = [(c.time_ms, sum(c.counts.values())) for c in logs.histogram(store, window, wanted, buckets=BARS)]
        shapes = logs.templates(store, window, wanted, limit=SHAPES)
    except WatchkeeperError as error:
        return Found(trouble=error.detail)
    top = max((n for _, n in counts), default=0) or 1
    bars = [{"share": round(100 * n / top), "count": n, "time": t * 10**6} for t, n in counts]
    more = f"{lines[-1].time_ns}-{lines[-1].position}" if len(lines) == PAGE else ""
    return Found(lines, more, bars, shapes)
