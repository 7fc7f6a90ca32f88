"""When a schedule holds, held against a walk over the clocks of a zone; and what holds alerts back as time jumps."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.analysis.stages.holding import Holds, Reach, reached
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.errors import Malformed
from watchkeeper.model.schedule import Schedule
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology

MINUTE = 60_000
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "UTC",
)
CHANGES = [dt.datetime(2026, *day) for day in ((3, 29), (10, 25), (3, 8), (11, 1), (4, 5), (10, 4), (6, 1))]


@given(
    st.sampled_from(ZONES), st.sampled_from(CHANGES), st.integers(0, 1439), st.integers(1, 600), st.integers(-1, 1)
)  # fmt: skip
def test_daily_windows_follow_the_clocks_of_their_zone(
    zone: str, change: dt.datetime, minute: int, length: int, day: int
) -> None:
    """At every quarter of an hour around a change: what the walk says holds, holds; on days without a change no more."""
    z = ZoneInfo(zone)
    begin = dt.datetime(2026, 1, 5, minute // 60, minute % 60)
    first = round(begin.replace(tzinfo=z).timestamp() * 1000)
    last = round((begin + dt.timedelta(minutes=length)).replace(tzinfo=z).timestamp() * 1000)
    schedule = Schedule(first, last, "FREQ=DAILY", zone)
    start = round((change + dt.timedelta(days=day)).replace(tzinfo=z).timestamp() * 1000)
    for now in range(start, start + 24 * 60 * MINUTE, 15 * MINUTE):
        wall = dt.datetime.fromtimestamp(now / 1000, z).replace(tzinfo=None)
        since = (wall - begin) % dt.timedelta(days=1)
        holds = schedule.current(now) is not None
        if since < dt.timedelta(minutes=length):
            nearby = {
                dt.datetime.fromtimestamp((now + h * 3_600_000) / 1000, z).utcoffset() for h in range(-24, 25)
            }
            assert holds or (len(nearby) > 1 and _skipped(wall - since, z))
        elif not _near_change(now, z):
            assert not holds


def _skipped(wall: dt.datetime, z: ZoneInfo) -> bool:
    """Whether the clocks skip this time: then it begins as much later."""
    at = wall.replace(tzinfo=z)
    return dt.datetime.fromtimestamp(at.timestamp(), z).replace(tzinfo=None) != wall


def _near_change(now: int, z: ZoneInfo) -> bool:
    around = (dt.datetime.fromtimestamp((now + h * 3_600_000) / 1000, z).utcoffset() for h in range(-24, 25))
    return len(set(around)) > 1


def at(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def test_a_sunday_night_is_an_hour_shorter_or_longer_when_the_clocks_change() -> None:
    schedule = Schedule(
        at("2026-03-22T01:00+01:00"), at("2026-03-22T04:00+01:00"), "FREQ=WEEKLY", "Europe/Berlin"
    )
    found = {dt.datetime.fromtimestamp(s / 1000, dt.UTC).date(): (e - s) / 3_600_000
             for s, e in islice(schedule.occurrences(at("2026-03-22T00:00+01:00")), 33)}  # fmt: skip
    assert found[dt.date(2026, 3, 22)] == 3
    assert found[dt.date(2026, 3, 29)] == 2
    assert found[dt.date(2026, 10, 24)] == 4  # it begins at 23:00 UTC
    assert set(found.values()) == {2, 3, 4}


def test_one_occurrence_can_end_early_or_late() -> None:
    first, day = at("2026-05-01T02:00Z"), 86_400_000
    early = Schedule(first, first + 3_600_000, "FREQ=DAILY", "UTC", first, first + 60_000)
    assert early.current(first + 59_999) and not early.current(first + 60_000)
    assert early.current(first + day + 60_000)
    late = Schedule(first, first + 3_600_000, "FREQ=DAILY", "UTC", first, first + 5 * 3_600_000)
    assert late.current(first + 4 * 3_600_000) and not late.current(first + day + 4 * 3_600_000)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=MINUTELY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=3", "nonsense", "FREQ=DAILY;BYDAY=XX", "",
     "FREQ=DAILY\nFREQ=DAILY", "FREQ=DAILY;UNTIL=20270101T000000Z", "FREQ=DAILY;FREQ=DAILY"],
)  # fmt: skip
def test_rules_that_cannot_be_followed_are_refused(rule: str) -> None:
    from watchkeeper.model.schedule import parse_rule

    with pytest.raises(Malformed):
        parse_rule(rule, dt.datetime(2026, 1, 1))


def window(version: int, **data: object) -> Act:
    return Act(id=f"w{version}", kind=ActKind.MAINTENANCE, target="1", actor="ann", time_ms=0,
               data={"version": version, **data})  # fmt: skip


def holds(*acts: Act) -> Holds:
    made = Holds()
    for act in acts:
        made.take(act)
    return made


SPAN = {"starts_ms": 1000, "ends_ms": 2000}


def test_a_clock_that_jumps_or_goes_back_finds_the_window_as_it_is_then() -> None:
    found = holds(window(1, items=["a"], schedule=SPAN))
    graph = Topology()
    changed = [found.advance(now, graph) for now in (0, 1000, 1500, 9000, 1500, 500, 2000)]
    assert changed == [False, True, False, True, True, True, False]


def test_words_about_a_window_that_come_late_do_not_undo_newer_ones() -> None:
    found = holds(window(3), window(2, items=["a"], schedule=SPAN))
    assert not found.advance(1500, Topology())


def test_nothing_may_hold_everything_back() -> None:
    for data in ({"schedule": SPAN}, {"schedule": SPAN, "matchers": [{"name": "a", "value": ""}]}):
        with pytest.raises(Malformed):
            holds(window(1, **data))
    found = holds(window(1, items=["a"], schedule=SPAN))
    found.advance(1500, Topology())
    found.move({"a": ""})
    assert found.advance(1500, Topology())


def test_reach_follows_the_graph_and_ends_in_a_circle() -> None:
    names = ("host", "vm", "disk", "app", "user")
    edges = [("vm", "host", "runs_on"), ("app", "vm", "runs_on"), ("host", "disk", "contains"),
             ("user", "app", "depends_on"), ("app", "user", "depends_on")]  # fmt: skip
    graph = Topology(
        [Item(n, "host", n) for n in names], [Relation(s, t, RelationKind(k)) for s, t, k in edges]
    )
    assert reached(["host"], Reach.ITEMS, graph) == {"host"}
    assert reached(["host"], Reach.CARRIED, graph) == {"host", "vm", "disk", "app"}
    assert reached(["host"], Reach.DEPENDENT, graph) == set(names)
    assert reached(["app"], Reach.CARRIED, graph) == {"app"}
