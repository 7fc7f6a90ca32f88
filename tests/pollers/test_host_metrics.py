"""What is made from the differences between two looks at a machine's counters."""

from __future__ import annotations

import pytest

from watchkeeper.pollers.host_metrics import points
from watchkeeper.pollers.host_reading import Gauges


def _shares(before: Gauges, now: Gauges) -> dict[str, float]:
    found = points(before, now, {}, (), {}, cpus=2)
    return {p.labels["cpu.mode"]: p.value for p in found if p.name == "system.cpu.utilization"}


def test_an_idle_counter_that_runs_backwards_does_not_hide_the_others() -> None:
    before = Gauges(1_000, {"user": 10.0, "idle": 90.0, "iowait": 5.0}, uptime_seconds=100)
    now = Gauges(11_000, {"user": 13.0, "idle": 89.5, "iowait": 6.0}, uptime_seconds=110)
    assert _shares(before, now) == pytest.approx({"user": 0.75, "idle": 0.0, "iowait": 0.25})


def test_after_a_restart_of_the_machine_nothing_is_said_of_the_time_between() -> None:
    before = Gauges(1_000, {"user": 10.0, "idle": 90.0}, uptime_seconds=100)
    now = Gauges(11_000, {"user": 12.0, "idle": 7.0}, uptime_seconds=9)
    assert _shares(before, now) == {}
