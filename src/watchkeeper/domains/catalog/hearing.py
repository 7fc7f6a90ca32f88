"""Hears what was decided about orders and leases, and of tickets of orders that somebody has called off."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction

from watchkeeper.domains.approvals import Standing, state_of
from watchkeeper.domains.catalog import leases, ordering
from watchkeeper.domains.catalog.models import Lease, Order
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import Event

_KIND = "approval-requests"


class Decisions:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Approvals, and tickets."""
        return {_KIND, "tickets"} & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """Go on with what was decided."""
        for event in events:
            if event.kind == "tickets" and event.act == "cancel":
                _called_off(event.key)
            elif event.kind == _KIND and event.act in ("approve", "decline"):
                _decided(event)
        return ""


def _called_off(ticket: str) -> None:
    with transaction.atomic():
        for made in Order.objects.filter(ticket=ticket, state__in=ordering.CANCEL.origins):
            ordering.cancel(SYSTEM, made)


def _decided(event: Event) -> None:
    kind, key = event.record.get("kind"), str(event.record.get("record", ""))
    with transaction.atomic():
        if kind == "orders" and (made := Order.objects.filter(pk=key).first()):
            _of_order(made, event)
        elif kind == "leases" and (lease := Lease.objects.filter(pk=key, state=Lease.State.ACTIVE).first()):
            _of_lease(lease, event)


def _of_order(made: Order, event: Event) -> None:
    standing = state_of(made, ordering.print_of(made))
    if standing is Standing.APPROVED:
        ordering.approve(SYSTEM, made)
    elif event.act == "decline" and standing is Standing.DECLINED:
        ordering.decline(SYSTEM, made, str(event.after.get("note", "")))


def _of_lease(lease: Lease, event: Event) -> None:
    until = lease.wanted_until
    if until is None:
        return
    if event.act == "approve" and state_of(lease, leases.print_of(lease)) is Standing.APPROVED:
        leases.extended(SYSTEM, lease, until)
    elif event.act == "decline":
        leases.declined(SYSTEM, lease)
