"""The page of reliability: how often things fail, how long that takes to mend, and how much of the work was planned."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.upkeep import reporting
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import registry

_SPANS = (30, 90, 365)


@require_GET
@signed_in()
def report(request: HttpRequest) -> HttpResponse:
    """`?days=30`, 90 or 365."""
    actor = actor_of(request)
    require(actor, "read", registry["work-orders"])
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, _SPANS) else 90
    found = reporting.report(actor, days, timezone.now())
    tables = [
        (title, [_row(x) for x in lines])
        for title, lines in (("Items", found.items), ("Kinds of items", found.kinds))
    ]
    return page(request, "reliability.html", title="Reliability", report=found, spans=_SPANS, tables=tables)


def _row(line: reporting.Line) -> dict[str, object]:
    r = line.found
    return {
        "line": line, "failures": r.failures, "available": r.available,
        "mtbf": None if r.mtbf_s is None else dt.timedelta(seconds=round(r.mtbf_s)),
        "mttr": None if r.mttr_s is None else dt.timedelta(seconds=round(r.mttr_s)),
    }  # fmt: skip
