"""One template of log messages: what stands in its places, and what people say of it."""

from __future__ import annotations

import time
from dataclasses import astuple
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.logs import SPANS
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.log_templates.models import TemplateCorrection
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import log_groups, log_values

_OTHERS = 40
_WORDS = ("user", "word")


@require_GET
@signed_in(Scope.READ)
def of_template(request: HttpRequest, template: int) -> HttpResponse:
    """The page."""
    if template >= 2**64:
        raise NotThere("there is no such template")
    now, given = int(time.time() * 1000), request.GET
    last = next((s for s, _ in SPANS if given.get("last") == str(s)), 86400)
    span: dict[str, Any] = {"from_ms": now - last * 1000, "to_ms": now}
    actor, resource = actor_of(request), registry["template-corrections"]
    context: dict[str, Any] = {"last": last, "spans": SPANS, "number": template}
    try:
        found = log_values.values(ports.the_telemetry(), template, **span)
        others = log_groups.templates(ports.the_telemetry(), **span, limit=_OTHERS)
    except WatchkeeperError as error:
        return page(request, "log_template.html", title="Message", trouble=error.detail, **context)
    if found is None:
        raise NotThere("no message of this template is known; logs are kept for a time only")
    said = visible(
        actor, resource, TemplateCorrection.objects.filter(Q(template=str(template)) | Q(other=str(template)))
    )
    return page(
        request, "log_template.html", title="Message", found=found, said=said, **context,
        places=[(p, p.kind in _WORDS and p.distinct > 1, _shares(p, template), _spread(p)) for p in found.places],
        others=[o for o in others if o.id != template], may_correct=may(actor, "create", resource),
    )  # fmt: skip


def _spread(place: log_values.Place) -> list[tuple[str, str]]:
    """How its numbers are spread, in words and with the unit."""
    if place.spread is None:
        return []
    unit = f" {place.unit}" if place.unit else ""
    named = zip(
        ("Least", "Half below", "95 % below", "99 % below", "Most"), astuple(place.spread), strict=True
    )
    return [
        (name, f"{value:,.10g}{unit}" if value == int(value) else f"{value:,.4g}{unit}")
        for name, value in named
    ]


def _shares(place: log_values.Place, template: int) -> list[tuple[log_groups.Value, int, str]]:
    """The most frequent values, each with its share of the lines in percent and the query of its lines; none where
    numbers hardly come twice."""
    if place.spread is not None and 2 * place.distinct > place.lines:
        return []
    lines = max(1, place.lines)
    return [(v, round(100 * v.count / lines), _query(template, v.value)) for v in place.top]


def _query(template: int, value: str) -> str:
    """What finds the lines of a template that have this value."""
    said = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'template:{template} "{said}"' if value.strip() else f"template:{template}"
