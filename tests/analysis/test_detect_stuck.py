"""Stuck values from outside: told once for an item in words, over when they move; what may stand still is left alone."""

from __future__ import annotations

from tests.analysis.test_detect_stage import HOSTS, Estate


def test_a_value_that_always_changed_and_stands_still_is_told_once_and_ends() -> None:
    estate = Estate()
    estate.run(700)
    found = estate.run(110) + estate.run(150, {1: 0.2})
    (found,) = found
    assert (found.kind, found.item, found.active) == ("stuck", HOSTS[0], True)
    assert found.summary.startswith("CPU utilization (m0) of db-1 shows the same value for 3")
    estate.restart()
    assert estate.run(200, {1: 0.2}) == []
    (over,) = estate.run(10)
    assert (over.key, over.active) == (found.key, False)


def test_series_that_stand_still_by_nature_are_left_alone() -> None:
    estate = Estate()
    for k in range(1200):
        state = float(k // 7 % 2 + 1)  # a state that lasts
        estate.step({1: state, 2: 0.0, 3: 1.0})
    assert [f for f in estate.run(300, {1: 1.0, 2: 0.0, 3: 1.0}) if f.kind == "stuck"] == []
