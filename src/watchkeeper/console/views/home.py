"""The overview: what is wrong, what is watched, and how this machine does."""

from __future__ import annotations

import socket

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.measured import item_charts
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.views.situations import with_cause
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.ports import ports


@require_GET
@signed_in()
def home(request: HttpRequest) -> HttpResponse:
    """The page everybody begins with."""
    actor = actor_of(request)
    open_ones = (
        visible(actor, "situations", Situation.objects.all())
        .exclude(state="resolved")
        .order_by("-severity", "-opened_at")
    )
    if request.headers.get("HX-Target") == "now":
        return page(request, "parts/now.html", rows=with_cause(open_ones[:6]), firing=_firing(actor))
    items = visible(actor, "items", Item.objects.all())
    kinds = list(items.values_list("kind").annotate(n=Count("pk")).order_by("-n"))
    host = items.filter(kind="host", identifiers__value=socket.gethostname().lower()).first()
    return page(
        request, "home.html", title="Overview", rows=with_cause(open_ones[:6]), firing=_firing(actor),
        kinds=kinds[:8], items=sum(n for _, n in kinds), host=host, charts=item_charts(host), begin=_begin(request),
        base=request.build_absolute_uri("/").rstrip("/"),
    )  # fmt: skip


def _begin(request: HttpRequest) -> bool:
    """Whether nothing but this machine has ever told us anything: then the page says how to begin."""
    if request.GET.get("begin"):
        return True
    sent = any(s.get("rows") for name, s in ports.doors().items() if name not in ("host", "http"))
    return not sent and not Alert.objects.exists()


def _firing(actor: Actor) -> int:
    alerts = visible(actor, "alerts", Alert.objects.all())
    return alerts.filter(status="firing", suppressed_by="").count()
