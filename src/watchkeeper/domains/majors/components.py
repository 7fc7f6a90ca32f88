"""How components become another state: by a major incident, by hand, or after the health of their service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.health.models import ServiceHealth
from watchkeeper.domains.majors import rules
from watchkeeper.domains.majors.models import ComponentSpell, StatusComponent
from watchkeeper.kernel.events import Event


def become(component: StatusComponent, state: str, reason: str, at: dt.datetime) -> bool:
    """Be in this state from now on; whether that is another one."""
    with transaction.atomic():
        now = StatusComponent.objects.select_for_update().get(pk=component.pk)
        if now.state == state:
            return False
        now.spells.filter(ends_at=None).update(ends_at=at)
        if state != rules.OPERATIONAL:
            ComponentSpell.objects.create(component=now, state=state, begins_at=at, reason=reason[:200])
        now.state, now.since_at = state, at
        now.save(update_fields=["state", "since_at"])
    component.state, component.since_at = state, at
    return True


def settle(components: Iterable[StatusComponent], reason: str, at: dt.datetime) -> None:
    """Have these be as they are due to be, because a major incident began, ended or changed."""
    for component in components:
        become(component, due_state(component), reason, at)


def due_state(component: StatusComponent) -> str:
    """The worst that major incidents say which go on; without any, as healthy as its service is."""
    said = component.majors.exclude(state=rules.RESOLVED).values_list("component_state", flat=True)
    if said:
        return rules.worst(said)
    if not component.follows:
        return rules.OPERATIONAL
    known = ServiceHealth.objects.filter(item=component.item_id).values_list("state", flat=True).first()
    return rules.OF_HEALTH.get(known or "", rules.OPERATIONAL)


class Health:
    """A listener; see kernel.events. Components follow the health of their services, unless a major incident speaks for
    them."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """The health of services, while a component follows one."""
        wanted = {"service-health"} & set(kinds)
        return (
            wanted
            if wanted and StatusComponent.objects.filter(follows=True, item__isnull=False).exists()
            else ()
        )

    def hear(self, events: Sequence[Event]) -> str:
        """Of several about a service the last counts."""
        changed = 0
        for item, state in {e.record["item"]: e.record["state"] for e in events}.items():
            if (becomes := rules.OF_HEALTH.get(state)) is None:
                continue
            for component in StatusComponent.objects.filter(item=item, follows=True):
                if not component.majors.exclude(state=rules.RESOLVED).exists():
                    changed += become(component, becomes, f"The service's health is {state}.", timezone.now())
        return f"{changed} components changed" if changed else ""
