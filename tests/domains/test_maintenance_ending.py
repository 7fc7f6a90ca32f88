"""Windows that end before or after what was planned, and what that costs those who leave planned time out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.approving import call, client
from tests.domains.test_changes import HOUR, service
from watchkeeper.domains.maintenance import holding
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.fields import milliseconds


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
