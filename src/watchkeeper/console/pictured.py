"""What the pages of dashboards and of services show beside what every record's page has."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import F

from watchkeeper.console.measured import source
from watchkeeper.domains.dashboards.models import Dashboard
from watchkeeper.domains.health import SERIES
from watchkeeper.domains.health.models import ServiceHealth
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry


def of_dashboard(record: Dashboard, actor: Actor) -> dict[str, Any]:
    """Its definition for the script of the page, and whether it can be changed there."""
    resource = registry["dashboards"]
    editable = not record.ready and may(actor, "change", resource, record)
    told = {"id": record.pk, "name": record.name, "editable": editable, "definition": record.definition}
    own = {"can_change": editable, "can_remove": not record.ready and may(actor, "remove", resource, record)}
    return {"told": told, "editable": editable, **own}


#: scheme of an item's names → the ready dashboards that show it, and the variable that chooses it there
_SHOWN_ON = {"hostname": ("hosts", "host"), "service.name": ("services", "service")}
#: kinds of item whose health people want to know
_JUDGED = ("service", "application", "business_service", "technical_service", "business-services",
           "technical-services", "applications", "capabilities")  # fmt: skip
_DAY = 86_400


def of_item(item: Item, actor: Actor) -> dict[str, Any]:
    """Its health with the reasons, and the dashboards that show it."""
    resource = registry["service-indicators"]
    health = visible(actor, "service-health").filter(item=item.pk).first()
    judged = health is not None or item.kind in _JUDGED or item.declared in _JUDGED
    return {
        "health": health,
        "health_chart": source(name=SERIES, **{"l.item": item.pk, "last": _DAY}) if health else "",
        "indicators": visible(actor, resource).filter(item=item.pk).count() if judged else 0,
        "can_judge": judged and may(actor, "create", resource),
        "dashboards": _dashboards(item, actor),
    }


def _dashboards(item: Item, actor: Actor) -> list[tuple[str, str]]:
    """Name and address, with the item chosen."""
    named = dict(item.identifiers.filter(valid_to=None, scheme__in=_SHOWN_ON).values_list("scheme", "value"))
    wanted = {_SHOWN_ON[scheme][0]: (_SHOWN_ON[scheme][1], name) for scheme, name in named.items()}
    found = visible(actor, "dashboards").filter(ready__in=wanted) if wanted else ()
    return [
        (d.name, f"/dashboards/{d.pk}/?" + urlencode({f"var-{wanted[d.ready][0]}": wanted[d.ready][1]}))
        for d in found
    ]


def healths(actor: Actor) -> list[ServiceHealth]:
    """How every service is that one may see, the worst first and those that are unknown last."""
    return list(visible(actor, "service-health").order_by(F("score").asc(nulls_last=True), "item__name"))
