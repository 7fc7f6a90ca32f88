"""Explore metrics: find series by name and labels, and draw them."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views import promql
from watchkeeper.console.views.doors import NAMES as DOORS
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import metrics
from watchkeeper.telemetry.queries.series import Matcher, Wanted, described

SPANS = ((900, "15 min"), (3600, "1 h"), (6 * 3600, "6 h"), (86400, "1 d"), (7 * 86400, "7 d"))
NAMES = 60
LINES = 12  # series of one chart
POINTS = 240


@require_GET
@signed_in(Scope.READ)
def explore(request: HttpRequest) -> HttpResponse:
    """Names of metrics that match, and charts of the one that was chosen."""
    words, name = request.GET.get("search", "").strip(), request.GET.get("name", "")
    query = request.GET.get("query", "").strip()
    span = _whole(request.GET.get("last"), 3600)
    try:
        store = ports.the_telemetry()
        names = metrics.names(store, words, limit=NAMES)
        series = described(store, _wanted(request), limit=LINES) if name and not query else []
        trouble = ""
    except WatchkeeperError as error:
        names, series, trouble = [], [], error.detail
    part = "parts/metric_names.html" if request.headers.get("HX-Target") == "names" else "metrics.html"
    return page(
        request, part, title="Metrics", words=words, names=names, name=name, span=span, spans=SPANS,
        expression=query, asked=promql.answered(query, span) if query else None,
        series=series, trouble=trouble, most=LINES, labels=_chosen(request), doors=DOORS,
    )  # fmt: skip


@require_GET
@signed_in(Scope.READ)
def data(request: HttpRequest) -> HttpResponse:
    """The points of some series: by id, or by name and labels (`l.<label>=value`)."""
    store = ports.the_telemetry()
    end = _whole(request.GET.get("to"), int(time.time() * 1000))
    begin = _whole(request.GET.get("from"), end - 1000 * _whole(request.GET.get("last"), 3600))
    if begin >= end:
        raise BadQuery("from lies after to", "from")
    ids = [int(i) for i in request.GET.getlist("id") if i.isdigit()][:LINES]
    found = metrics.by_ids(store, ids) if ids else described(store, _wanted(request), limit=LINES)
    points = metrics.points(store, found, begin, end, POINTS)
    rate = any(s.kind == "counter" for s in found)
    unit = next((s.unit for s in found if s.unit), "")
    marks = [
        {"from": int(m), "to": end, "text": "situation"} for m in request.GET.getlist("mark") if m.isdigit()
    ]
    names = short_names([{"": s.name, **s.labels} for s in found])
    lines = [{"name": n, "points": points.get(s.id, [])} for s, n in zip(found, names, strict=True)]
    stack = request.GET.get("stack") == "1"
    unit = f"{unit}/s" if rate else unit
    return JsonResponse({"unit": unit, "series": lines, "marks": marks, "stack": stack})


def _chosen(request: HttpRequest) -> list[tuple[str, str, str]]:
    """The labels that narrow the series, each with the query string without it."""
    chosen = []
    for k, v in request.GET.dict().items():
        if k.startswith("l.") and v:
            rest = request.GET.copy()
            del rest[k]
            chosen.append((k.removeprefix("l."), v, rest.urlencode()))
    return chosen


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


def _wanted(request: HttpRequest) -> Wanted:
    """By name and labels: `l.<label>=value` has to be so, `except.<label>=value` must not."""
    given = [(k, v) for k, v in request.GET.dict().items() if v]
    same = [Matcher(k.removeprefix("l."), v) for k, v in given if k.startswith("l.")]
    other = [Matcher(k.removeprefix("except."), v, "!=") for k, v in given if k.startswith("except.")]
    return Wanted(name=request.GET.get("name", ""), matchers=(*same, *other))


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 16 else default
