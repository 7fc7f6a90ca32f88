"""The overview: what needs its reader now, by the panels of their roles; below, what is watched and how this machine
does."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.answers import answered
from watchkeeper.console.causes import with_cause
from watchkeeper.console.measured import item_charts
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import access
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.bounded import TookTooLong, within
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.resource import registry

SITUATIONS = 6
MANY = 1000  # alerts that are counted
SECONDS = 0.3


@require_GET
@signed_in()
def home(request: HttpRequest) -> HttpResponse:
    """The page everybody begins with."""
    actor = actor_of(request)
    if request.headers.get("HX-Target") == "now":
        return page(request, "parts/now.html", **_now(actor))
    if request.headers.get("HX-Target") == "panels":
        return page(request, "parts/panels.html", **_answers(actor))
    watched = _watched(actor) if may(actor, "read", registry["items"]) else {}
    return page(
        request, "home.html", title="Overview", begin=_begin(request, actor), watched=watched, **_command(),
        roles=sorted(access.roles_of(actor.person)), base=request.build_absolute_uri("/").rstrip("/"), **_now(actor),
        **_answers(actor),
    )  # fmt: skip


def _answers(actor: Actor) -> dict[str, Any]:
    """The panels, and those of them that ask nothing of their reader."""
    answers = answered(actor)
    return {"answers": answers, "well": [a for a in answers if not a.lines and not a.late and a.panel.empty]}


def _now(actor: Actor) -> dict[str, Any]:
    """The worst situations, and how many alerts fire, for who may see them."""
    if not may(actor, "read", registry["situations"]):
        return {"operates": False}
    live = visible(actor, "situations", Situation.objects.all()).exclude(state="resolved")
    firing = visible(actor, "alerts", Alert.objects.all()).filter(status="firing", suppressed_by="")
    counted = firing.order_by()[: MANY + 1].count()
    worst = live.order_by("-severity", "-opened_at")[:SITUATIONS]
    return {
        "operates": True,
        "rows": with_cause(worst),
        "firing": min(counted, MANY),
        "more_fire": counted > MANY,
    }


def _watched(actor: Actor) -> dict[str, Any]:
    """How many items of which kind there are, and this machine."""
    items = visible(actor, "items", Item.objects.all())
    try:
        with within(SECONDS):
            kinds = list(items.values_list("kind").annotate(n=Count("pk")).order_by("-n"))
    except TookTooLong:
        kinds = []
    host = items.filter(kind="host", identifiers__value=socket.gethostname().lower()).first()
    return {
        "kinds": kinds[:8],
        "items": sum(n for _, n in kinds),
        "host": host,
        "charts": item_charts(host),
    }


def _command() -> dict[str, str]:
    """How our commands are called on this machine, and with which folder where it is not the usual one."""
    folder = settings.CONFIG.data
    usual = folder == Path(sys.prefix).parent / "var"
    return {
        "command": str(Path(sys.executable).with_name("watchkeeper")),
        "folder": "" if usual else str(folder),
    }


def _begin(request: HttpRequest, actor: Actor) -> bool:
    """Whether nothing but this machine has ever told us anything: then the page says how to begin, to whoever can."""
    if not may(actor, "create", registry["intake-keys"]):
        return False
    if request.GET.get("begin"):
        return True
    sent = any(s.get("rows") for name, s in ports.doors().items() if name not in ("host", "http"))
    return not sent and not Alert.objects.exists()
