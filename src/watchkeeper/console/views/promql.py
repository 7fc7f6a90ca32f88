"""Metrics by a query: what the page says of one, and its chart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import signed_in
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.queries import series as known

POINTS = 240
LINES = 24  # of one chart
LIMITS = promql.Limits(seconds=10.0, series=2000)
SEEN_MS = 300_000  # to either side of the moment that is marked
_NAME = "__name__"


def answered(query: str, seconds: int) -> dict[str, Any]:
    """What the page says: how many series there are, the first of them, or what is wrong."""
    try:
        lines = _lines(query, seconds)
    except WatchkeeperError as error:
        return {"trouble": error.detail, "lines": [], "count": 0}
    rows = [
        {"name": line.labels.get(_NAME, ""), "labels": {k: v for k, v in line.labels.items() if k != _NAME}}
        for line in lines[:LINES]
    ]
    return {"trouble": "", "lines": rows, "count": len(lines), "most": LINES}


@require_GET
@signed_in(Scope.READ)
def data(request: HttpRequest) -> HttpResponse:
    """The points of a query's series, for the chart; what is wrong with it is a problem with its status."""
    query, last = request.GET.get("query", ""), request.GET.get("last", "")
    seconds = int(last) if last.isdigit() and len(last) < 10 else 3600
    seen = request.GET.get("seen", "")  # Unix ms: it is in the middle
    at = int(seen) if seen.isdigit() and len(seen) < 15 else None
    lines = _lines(query, seconds, at)[:LINES]
    names = _names(lines)
    drawn = [{"name": name, "points": _points(line)} for name, line in zip(names, lines, strict=True)]
    return JsonResponse(
        {"unit": promql.unit(query, _unit_of), "series": drawn, "marks": _marks(at), "stack": False}
    )


def _marks(at: int | None) -> list[dict[str, Any]]:
    return [] if at is None else [{"from": at - SEEN_MS, "to": at + SEEN_MS, "text": "seen"}]


def _lines(query: str, seconds: int, at: int | None = None) -> list[promql.Line]:
    """The query over the last `seconds`, or over so many around a moment (Unix ms), at times that stay where they are when
    the page is loaded again."""
    step = max(1, -(-seconds // POINTS))
    now = int(time.time())
    end = (now if at is None else min(now, at // 1000 + seconds // 2)) // step * step
    start = end - seconds // step * step
    return promql.query_range(
        ports.the_telemetry(), query, start * 1000, end * 1000, step * 1000, limits=LIMITS
    )


def _points(line: promql.Line) -> list[tuple[int, float | None]]:
    """What is no finite number is a gap, as JSON has no word for it."""
    finite = (
        (t, v if abs(v) < float("inf") else None) for t, v in zip(line.times_ms, line.values, strict=True)
    )
    return list(finite)


def _names(lines: Sequence[promql.Line]) -> list[str]:
    """What tells the series apart, or what the only one is."""
    keys = sorted({name for line in lines for name in line.labels})
    differ = [k for k in keys if len({line.labels.get(k, "") for line in lines}) > 1]
    shown = differ or [k for k in keys if k == _NAME]
    return [" ".join(line.labels[k] for k in shown if line.labels.get(k)) or "value" for line in lines]


def _unit_of(name: str) -> str:
    found = known.kinds(ports.the_telemetry(), name, limit=1)
    return found[0].unit if found else ""
