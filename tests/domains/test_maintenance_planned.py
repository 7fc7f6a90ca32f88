"""Planned time of items, however many windows there were and are."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.domains.approving import client
from tests.domains.test_changes import HOUR, service
from watchkeeper.domains.inventory import reached_from
from watchkeeper.domains.inventory.carrying import reaching
from watchkeeper.domains.inventory.models import Item, Relation
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.maintenance.planned import Planned
from watchkeeper.kernel.fields import milliseconds

DAY = dt.timedelta(days=1)


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """May do everything."""
    return client()


def window(item: str, begins: dt.timedelta, ends: dt.timedelta, **more: object) -> MaintenanceWindow:
    """Of this item, so long from now."""
    now = timezone.now()
    made = MaintenanceWindow.objects.create(
        name="w", starts_at=now + begins, ends_at=now + ends, of_items=True, reach="dependent", **more
    )
    made.items.add(item)
    return made


@pytest.mark.parametrize("ended", [-90 * DAY, -2 * HOUR])
def test_windows_of_the_past_cost_nothing_more(root: Client, ended: dt.timedelta) -> None:
    """Neither those before the time that is asked about nor those within it."""
    db = service(root, "db")
    shop = service(root, "shop", db)
    since = milliseconds(timezone.now() - DAY)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            Planned(since).of(shop, since, since + 86_400_000)
        return len(found)

    window(db, ended - HOUR, ended)
    before = queries()
    for _ in range(300):
        window(db, ended - HOUR, ended)
    assert queries() == before


def test_what_counts_is_what_it_was(root: Client) -> None:
    """Extended past its end, repeated since long ago, or of what it needs."""
    db = service(root, "db")
    shop = service(root, "shop", db)
    now = timezone.now()
    since = milliseconds(now - DAY)
    window(db, -3 * DAY, -2 * DAY)
    longer = window(db, -3 * DAY, -2 * DAY, changed_end_at=now - HOUR)
    MaintenanceWindow.objects.filter(pk=longer.pk).update(changed_start_at=longer.starts_at)
    window(db, -30 * DAY + 2 * HOUR, -30 * DAY + 3 * HOUR, repeats="day")
    window(shop, -HOUR, HOUR)
    spans = Planned(since).of(shop, since, milliseconds(now))
    found = [(round((b - since) / 3.6e6), round((e - since) / 3.6e6)) for b, e in spans]
    assert found == [(0, 23), (2, 3), (23, 24)]
    assert len(Planned(since).of(db, since, milliseconds(now))) == 2


def test_what_reaches_an_item_is_what_it_is_reached_from(root: Client) -> None:
    """Both ways through the same relations."""
    keys = [service(root, f"s{n}") for n in range(5)]
    kinds = ("depends_on", "runs_on", "contains", "member_of")
    for n, kind in enumerate(kinds):
        now = timezone.now()
        Relation.objects.create(
            source_id=keys[n], target_id=keys[n + 1], kind=kind, valid_from=now, last_seen_at=now
        )
    every = [str(k) for k in Item.objects.values_list("pk", flat=True)]
    for reach in ("items", "carried", "dependent"):
        for item in every:
            expected = {other for other in every if item in reached_from([other], reach)}
            assert reaching(item, reach) == expected
