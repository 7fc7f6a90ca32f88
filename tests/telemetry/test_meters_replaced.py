"""Work orders by a meter, also after it was replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.telemetry.signals import carry, of, samples, series
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.upkeep import planning
from watchkeeper.domains.upkeep.models import MaintenancePlan, WorkOrder
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry.store import Store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def readable(store: Store) -> Iterator[Store]:
    """The records can ask the store."""
    ports.telemetry = store
    yield store
    ports.telemetry = None


def test_a_meter_that_is_replaced_counts_anew(readable: Store, journal: SqliteJournal) -> None:
    now = timezone.now()
    Item.objects.create(id="pump-id", name="pump", kind="device", first_seen_at=now, last_seen_at=now)
    plan = MaintenancePlan.objects.create(name="oil", trigger="meter", query='hours{item="$item"}', every=500)
    plan.items.add("pump-id")
    labels = json.dumps({"__name__": "hours", "item": "pump"})
    journal.append([of(Stream.SERIES, series(71, "hours", labels, "gauge"))])
    readings = [(510, 1), (1010, 2), (1009, 2), (3, 2), (-2, 2), (505, 3), (1005, 4), (2, 4), (600, 5)]
    for n, (value, orders) in enumerate(readings):
        at = now + (n - len(readings)) * planning.LOOK_EVERY
        journal.append([samples([(71, milliseconds(at), float(value))])])
        carry(journal, readable)
        planning.make(plan, at)
        planning.make(plan, at)  # a second look
        assert WorkOrder.objects.count() == orders, value
