"""Windows that end before or after what was planned, and what that costs those who leave planned time out."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.approving import call, client
from tests.domains.test_changes import HOUR, service
from watchkeeper.domains.maintenance import holding
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.maintenance.telling import data_of
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.schedule import Schedule


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """May do everything."""
    return client()


def seen(root: Client, window: MaintenanceWindow) -> dict[str, Any]:
    """As it is."""
    found: dict[str, Any] = call(root, "get", f"maintenance-windows/{window.pk}")
    return found


def held(root: Client, **more: Any) -> MaintenanceWindow:
    """One that another domain has begun an hour ago, until in an hour."""
    now = timezone.now()
    window = holding.begin(SYSTEM, "CHG-1", "", [service(root, "db")], now - HOUR, now + HOUR)
    MaintenanceWindow.objects.filter(pk=window.pk).update(**more)
    return MaintenanceWindow.objects.get(pk=window.pk)


def finish(window: MaintenanceWindow) -> MaintenanceWindow:
    """The work is done."""
    found = MaintenanceWindow.objects.get(pk=window.pk)
    holding.finish(SYSTEM, found, timezone.now())
    return found


def test_a_window_that_was_extended_ends_with_the_work(root: Client) -> None:
    """Also after what was planned first."""
    window = held(root)
    until = (timezone.now() + 5 * HOUR).isoformat()
    call(root, "post", f"maintenance-windows/{window.pk}/extend", {"until": until})
    assert seen(root, window)["state"] == "running"
    finish(window)
    assert seen(root, window)["state"] == "past"
    other = held(root, ends_at=timezone.now() - HOUR / 2, changed_end_at=timezone.now() + HOUR)
    MaintenanceWindow.objects.filter(pk=other.pk).update(changed_start_at=other.starts_at)
    assert seen(root, other)["state"] == "running"
    finish(other)
    assert seen(root, other)["state"] == "past"


def test_one_that_is_over_stays_as_it_is_and_one_that_was_put_off_does_not_begin(root: Client) -> None:
    """The first had been ended early."""
    window = held(root)
    call(root, "post", f"maintenance-windows/{window.pk}/end-now")
    version = MaintenanceWindow.objects.get(pk=window.pk).version
    assert finish(window).version == version
    later = timezone.now() + HOUR
    other = held(root, starts_at=later, ends_at=later + HOUR)
    assert finish(other).ends_at <= other.starts_at + dt.timedelta(seconds=1)


def test_of_one_that_was_made_to_repeat_the_occurrence_that_runs_ends(root: Client) -> None:
    """Somebody has work there every week."""
    window = held(root, repeats="week")
    finish(window)
    assert (seen(root, window)["state"], seen(root, window)["running_until"]) == ("upcoming", None)
    (begins, ends) = next(finish(window).schedule.occurrences(milliseconds(timezone.now())))
    assert ends - begins == 7_200_000, "the next is as long as ever"


def test_one_that_ends_early_leaves_those_that_did_before_as_they_were(root: Client) -> None:
    """What was planned is what was held back, weeks after too, and analysis is told so."""
    now = timezone.now().replace(microsecond=0)  # occurrences begin at whole seconds
    window = held(root, repeats="week", starts_at=now - HOUR, ends_at=now + HOUR)
    week = dt.timedelta(days=7)
    MaintenanceWindow.objects.filter(pk=window.pk).update(
        starts_at=window.starts_at - 3 * week, ends_at=window.ends_at - 3 * week,
        changed_start_at=window.starts_at - week, changed_end_at=window.starts_at - week + HOUR / 2,
    )  # fmt: skip
    call(root, "post", f"maintenance-windows/{window.pk}/end-now")
    call(root, "post", f"maintenance-windows/{window.pk}/extend", {"until": window.ends_at.isoformat()}, 409)
    found = MaintenanceWindow.objects.get(pk=window.pk)
    told = msgspec.convert(data_of(found)["schedule"], Schedule)
    assert told == found.schedule
    spans = told.occurrences(milliseconds(window.starts_at - 3 * week))
    lengths = [round((ends - begins) / 60_000) for begins, ends in islice(spans, 5)]
    assert lengths == [120, 120, 30, 60, 120]
    assert next(told.occurrences(milliseconds(window.starts_at - week + HOUR)))[0] == milliseconds(
        window.starts_at
    )
