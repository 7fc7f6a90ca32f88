"""What the chart of a forecast shows: what was, what is expected with its band, and the limit."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import signed_in
from watchkeeper.domains.capacity import chart as charted
from watchkeeper.kernel.acting import actor_of


@require_GET
@signed_in()
def chart(request: HttpRequest, key: int) -> HttpResponse:
    """As the script of charts takes it."""
    _, record = found(actor_of(request), "forecasts", str(key))
    return JsonResponse(charted.of(record))
