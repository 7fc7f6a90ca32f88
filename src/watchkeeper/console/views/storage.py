"""Storage: what signals take on disk, how far back they go, and for how long they are kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import retention
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.permissions import PLATFORM_ACTS, may
from watchkeeper.kernel.problems import Invalid
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.kept import TABLES


@require_http_methods(["GET", "POST"])
@signed_in(Scope.READ)
def storage(request: HttpRequest) -> HttpResponse:
    """The page, and what administrators choose on it."""
    actor, error, status = actor_of(request), "", 200
    given = {table: request.POST.get(table, "").strip() for table in TABLES if table in request.POST}
    if request.method == "POST":
        try:
            retention.keep(actor, _days(given))
            return HttpResponseRedirect("/storage/?done")
        except WatchkeeperError as refused:
            error, status = refused.detail, refused.status
    try:
        tables = [_shown(t, given) for t in retention.usage()]
    except WatchkeeperError as away:
        tables, error = [], error or away.detail
    return page(
        request, "storage.html", status=status, title="Storage", tables=tables, error=_in_words(error),
        total=sum(t["bytes"] for t in tables), done="done" in request.GET,
        changes=may(actor, PLATFORM_ACTS[Scope.ADMIN], None),
    )  # fmt: skip


def _days(given: dict[str, str]) -> dict[str, int]:
    """Raises Invalid."""
    for table, text in given.items():
        if not text.isdigit() or len(text) > 6:
            raise Invalid(f"{text or 'nothing'!r} is no number of days", table)
    return {table: int(text) for table, text in given.items()}


def _shown(t: Any, given: dict[str, str]) -> dict[str, Any]:
    return {
        "table": t.table, "label": t.label, "rows": t.rows, "bytes": t.bytes, "entered": given.get(t.table, t.days),
        "days": t.days, "oldest": moment(t.oldest_ms) if t.oldest_ms else None,
    }  # fmt: skip


def _in_words(error: str) -> str:
    """With what the page calls a table."""
    table, colon, rest = error.partition(": ")
    return f"{TABLES[table].label}: {rest}" if colon and table in TABLES else error
