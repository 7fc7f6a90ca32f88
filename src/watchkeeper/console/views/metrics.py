"""Explore metrics: find them by name and labels, and draw them."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import points, series
from watchkeeper.telemetry.queries.series import Matcher, Series, Wanted
from watchkeeper.telemetry.queries.window import Window

SPANS = ((900, "15 min"), (3600, "1 h"), (6 * 3600, "6 h"), (86400, "1 d"), (7 * 86400, "7 d"))
NAMES = 200
LINES = 12  # series of one chart
POINTS = 240


@require_GET
@signed_in()
def explore(request: HttpRequest) -> HttpResponse:
    """Names of metrics that match, and a chart of the one that was chosen."""
    words, name = request.GET.get("search", "").strip(), request.GET.get("name", "")
    span = whole(request.GET.get("last"), 3600)
    try:
        store = ports.the_telemetry()
        names = series.names(store, words, limit=NAMES)
        found = _find(request, name) if name else []
        trouble = ""
    except WatchkeeperError as error:
        names, found, trouble = [], [], error.detail
    part = "parts/metric_names.html" if request.headers.get("HX-Target") == "names" else "metrics.html"
    return page(
        request, part, title="Metrics", words=words, names=names, name=name, span=span, spans=SPANS,
        series=found, trouble=trouble, most=LINES,
    )  # fmt: skip


@require_GET
@signed_in()
def data(request: HttpRequest) -> HttpResponse:
    """The points of some series: by id, or by name and labels (`l.<label>=value`)."""
    end = whole(request.GET.get("to"), int(time.time() * 1000))
    begin = whole(request.GET.get("from"), end - 1000 * whole(request.GET.get("last"), 3600))
    if begin >= end:
        raise BadQuery("from lies after to", "from")
    ids = [int(i) for i in request.GET.getlist("id") if i.isdigit()][:LINES]
    store = ports.the_telemetry()
    found = list(series.by_id(store, ids).values()) if ids else _find(request, request.GET.get("name", ""))
    drawn: dict[int, list[tuple[int, float]]] = {}
    for rate in (False, True):
        some = [s.id for s in found if (s.kind == "counter") is rate]
        if some:
            given = points.points(store, some, Window(begin, end), buckets=POINTS, rate=rate)
            drawn |= {i: list(zip(p.times_ms, p.mean, strict=True)) for i, p in given.items()}
    unit = next((s.unit for s in found if s.unit), "")
    marks = [{"from": int(m), "to": end, "text": "situation"} for m in request.GET.getlist("mark") if m.isdigit()]
    names = short_names([{"": s.name, **s.labels} for s in found])
    return JsonResponse({
        "unit": f"{unit}/s" if any(s.kind == "counter" for s in found) else unit,
        "series": [{"name": n, "points": drawn.get(s.id, [])} for s, n in zip(found, names, strict=True)],
        "marks": marks,
    })  # fmt: skip


def short_names(labels: list[dict[str, str]]) -> list[str]:
    """What tells these series apart: the labels that differ among them.

    >>> short_names([{"": "x", "a": "1", "b": "2"}, {"": "x", "a": "1", "b": "3"}])
    ['2', '3']
    """
    if len(labels) == 1:
        return [labels[0].get("", "value")]
    keys = sorted({k for one in labels for k in one})
    differ = [k for k in keys if len({one.get(k, "") for one in labels}) > 1]
    return [" ".join(one[k] for k in differ if one.get(k)) or one.get("", "value") for one in labels]


def whole(text: str | None, default: int) -> int:
    """A whole number of a query string, or the default when it is none."""
    return int(text) if text and text.isdigit() and len(text) < 16 else default


def _find(request: HttpRequest, name: str) -> list[Series]:
    labels = tuple(Matcher(k[2:], v) for k, v in request.GET.items() if k.startswith("l.") and v)
    wanted = Wanted(name=name, matchers=labels)
    return series.search(ports.the_telemetry(), wanted, now_ms=int(time.time() * 1000), limit=LINES)
