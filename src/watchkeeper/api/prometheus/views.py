"""The addresses under /api/v1/ that read."""

from __future__ import annotations

import time
from typing import Any

from django.http import QueryDict
from django.urls import path

from watchkeeper import __version__
from watchkeeper.api.prometheus import parameters, results
from watchkeeper.api.prometheus.admission import answers
from watchkeeper.kernel.ports import ports
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.queries import series as known

_KINDS = {"counter", "gauge", "histogram", "summary"}


@answers("GET", "POST")
def query(given: QueryDict) -> dict[str, Any]:
    """An expression at one time."""
    at = parameters.time_ms(given, "time", int(time.time() * 1000))
    found = promql.query(
        ports.the_telemetry(), parameters.text(given, "query"), at, limits=parameters.limits(given)
    )
    return results.instant(found, at)


@answers("GET", "POST")
def query_range(given: QueryDict) -> dict[str, Any]:
    """An expression at every step from start to end."""
    start, end = parameters.time_ms(given, "start"), parameters.time_ms(given, "end")
    found = promql.query_range(
        ports.the_telemetry(), parameters.text(given, "query"), start, end, parameters.length_ms(given, "step"),
        limits=parameters.limits(given),
    )  # fmt: skip
    return results.matrix(found)


@answers("GET", "POST")
def series(given: QueryDict) -> list[dict[str, str]]:
    """Label sets of the series that match."""
    if not given.getlist("match[]"):
        raise promql.BadQuery("no match[] parameter provided")
    return _matching(given)[: parameters.most(given)]


@answers("GET", "POST")
def labels(given: QueryDict) -> list[str]:
    """Names of labels."""
    most = parameters.most(given)
    if given.getlist("match[]"):
        return sorted({name for one in _matching(given) for name in one})[:most]
    return sorted(["__name__", *known.label_names(ports.the_telemetry(), limit=most - 1)])


@answers("GET")
def label_values(given: QueryDict, name: str) -> list[str]:
    """Values of one label."""
    most = parameters.most(given)
    if given.getlist("match[]"):
        return sorted({one[name] for one in _matching(given) if name in one})[:most]
    return known.label_values(ports.the_telemetry(), name, limit=most)


@answers("GET")
def metadata(given: QueryDict) -> dict[str, list[dict[str, str]]]:
    """Kinds and units of metrics; what they mean is not kept."""
    found = known.kinds(ports.the_telemetry(), given.get("metric", ""), limit=parameters.most(given))
    return {one.name: [{"type": one.kind if one.kind in _KINDS else "unknown", "help": "", "unit": one.unit}]
            for one in found}  # fmt: skip


@answers("GET")
def buildinfo(_: QueryDict) -> dict[str, str]:
    """What Grafana asks for to know what it may ask: the version of Prometheus whose PromQL and API these are."""
    empty = dict.fromkeys(("branch", "buildUser", "buildDate", "goVersion"), "")
    return {"version": "2.42.0", "revision": f"watchkeeper {__version__}", **empty}


@answers("GET", "POST")
def query_exemplars(given: QueryDict) -> list[Any]:
    """None: exemplars are not kept."""
    parameters.text(given, "query")
    return []


def _matching(given: QueryDict) -> list[dict[str, str]]:
    """Label sets of the series that match one of `match[]`, and have samples between start and end where these are
    given."""
    window = None
    if given.get("start") or given.get("end"):
        window = (
            parameters.time_ms(given, "start", 0),
            parameters.time_ms(given, "end", int(time.time() * 1000)),
        )
    return promql.label_sets(ports.the_telemetry(), parameters.selectors(given), window)


urlpatterns = [
    path("query", query, name="promql-query"),
    path("query_range", query_range, name="promql-query-range"),
    path("series", series, name="promql-series"),
    path("labels", labels, name="promql-labels"),
    path("label/<str:name>/values", label_values, name="promql-label-values"),
    path("metadata", metadata, name="promql-metadata"),
    path("status/buildinfo", buildinfo, name="promql-buildinfo"),
    path("query_exemplars", query_exemplars, name="promql-exemplars"),
]
