"""The overview: what is wrong, what is watched, and how this machine does."""

from __future__ import annotations

import socket

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console import evidence
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.views.situations import with_cause
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert, Situation


@require_GET
@signed_in()
def home(request: HttpRequest) -> HttpResponse:
    """The page everybody begins with."""
    open_ones = Situation.objects.exclude(state="resolved").order_by("-severity", "-opened_at")
    if request.headers.get("HX-Target") == "now":
        return page(request, "parts/now.html", rows=with_cause(open_ones[:6]), firing=_firing())
    kinds = Item.objects.values_list("kind").annotate(n=Count("pk")).order_by("-n")[:8]
    host = Item.objects.filter(kind="host", identifiers__value=socket.gethostname().lower()).first()
    return page(
        request, "home.html", title="Overview", rows=with_cause(open_ones[:6]), firing=_firing(),
        kinds=list(kinds), items=Item.objects.count(), host=host, charts=evidence.host_charts(host),
    )  # fmt: skip


def _firing() -> int:
    return Alert.objects.filter(status="firing", suppressed_by="").count()
