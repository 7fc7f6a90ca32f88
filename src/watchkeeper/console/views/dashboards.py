"""What the page of a dashboard asks: what a panel shows, what its variables can be, metrics to choose from; and its YAML.
It is saved over REST."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from watchkeeper.console import pictured
from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import View, page, signed_in
from watchkeeper.domains.dashboards import definition
from watchkeeper.domains.dashboards.answering import answer
from watchkeeper.domains.dashboards.checking import check
from watchkeeper.domains.dashboards.choices import choices, settled
from watchkeeper.kernel import problems
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import metrics
from watchkeeper.telemetry.queries.series import label_names, label_values
from watchkeeper.telemetry.queries.window import Window

MOST_POINTS = 600
NAMES = 100


class Asked(msgspec.Struct):
    """What every question says: the time in Unix ms, and what is chosen of the variables."""

    begin: int
    end: int
    chosen: dict[str, list[str]] = {}
    panel: dict[str, Any] | None = None
    variables: list[dict[str, Any]] = []
    points: int = 240


def _told(view: View) -> View:
    """Errors as problem details, which the page shows where the answer would be."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except WatchkeeperError as error:
            return problems.answer(error.status, error.reason, error.detail)

    return guarded


def _asked(request: HttpRequest) -> tuple[Asked, Window]:
    """Raises Invalid."""
    try:
        asked = msgspec.json.decode(request.body, type=Asked)
    except msgspec.MsgspecError as error:
        raise problems.Invalid(str(error)) from error
    if not 0 <= asked.begin < asked.end < 1 << 45:
        raise problems.Invalid("the time ends before it begins", "end")
    return asked, Window(asked.begin, asked.end)


@require_POST
@signed_in(Scope.READ)
@_told
def panel_answer(request: HttpRequest) -> HttpResponse:
    """What a panel shows; also of one that is not saved."""
    asked, window = _asked(request)
    given = definition.read({"panels": [asked.panel], "variables": asked.variables})
    check(given)
    points = min(max(asked.points, 2), MOST_POINTS)
    store, actor = ports.the_telemetry(), actor_of(request)
    return JsonResponse(answer(store, actor, given.panels[0], asked.chosen, window, points))


@require_POST
@signed_in(Scope.READ)
@_told
def variable_choices(request: HttpRequest) -> HttpResponse:
    """{"variables": [{"name", "title", "values", "chosen"}]}, each with those before it as they are chosen."""
    asked, window = _asked(request)
    given = definition.read({"variables": asked.variables})
    check(given)
    out, chosen = [], dict[str, list[str]]()
    for variable in given.variables:
        there = choices(ports.the_telemetry(), variable, chosen, window)
        chosen[variable.name] = settled(variable, there, asked.chosen.get(variable.name, []))
        out.append({"name": variable.name, "values": there, "chosen": chosen[variable.name]})
    return JsonResponse({"variables": out})


@require_GET
@signed_in(Scope.READ)
@_told
def metric_names(request: HttpRequest) -> HttpResponse:
    """{"metrics": [{"name", "series", "kind", "unit"}]} in whose name every word occurs."""
    there = metrics.names(ports.the_telemetry(), request.GET.get("q", ""), limit=NAMES)
    return JsonResponse({"metrics": msgspec.to_builtins(there)})


@require_GET
@signed_in(Scope.READ)
@_told
def metric_labels(request: HttpRequest) -> HttpResponse:
    """{"labels": {name: values}} of the series of a metric."""
    store, name = ports.the_telemetry(), request.GET.get("name", "")
    names = label_names(store, name=name, limit=30)
    return JsonResponse(
        {"labels": {label: label_values(store, label, name=name, limit=50) for label in names}}
    )


@require_GET
@signed_in()
def health(request: HttpRequest) -> HttpResponse:
    """How every service is, the worst first."""
    actor = actor_of(request)
    can_judge = may(actor, "create", registry["service-indicators"])
    return page(
        request,
        "health.html",
        title="Health of services",
        healths=pictured.healths(actor),
        can_judge=can_judge,
    )


@require_GET
@signed_in()
def as_yaml(request: HttpRequest, key: int) -> HttpResponse:
    """The dashboard as a text that can be kept elsewhere and made a dashboard again."""
    _, record = found(actor_of(request), "dashboards", str(key))
    told = {"name": record.name, "folder": record.folder, "description": record.description,
            "definition": record.definition}  # fmt: skip
    answered = HttpResponse(definition.as_yaml(told), content_type="application/yaml; charset=utf-8")
    name = slugify(record.name) or f"dashboard-{record.pk}"
    answered.headers["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return answered
