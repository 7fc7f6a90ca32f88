"""What samples come to in five minutes and hours: the same as counting it plainly, with late samples, kills and samples
that have gone; and charts that read it."""

from __future__ import annotations

import math
import random
import signal
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support import eventually
from tests.telemetry.signals import carry, count, now_ms, samples
from tests.telemetry.test_kill import storing
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.telemetry import retention
from watchkeeper.telemetry.kept import RetentionRefused
from watchkeeper.telemetry.queries import points
from watchkeeper.telemetry.queries.tiers import ROLLED, Tier, step_for, stretches
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.rollups import HOUR_MS, Rollups, covered_up_to
from watchkeeper.telemetry.store import Store, TelemetryError

DAY = 86_400_000
BEGIN = now_ms() // DAY * DAY - 3 * DAY
Samples = list[tuple[int, int, float]]
Rolled = dict[tuple[int, int], tuple[float, ...]]


def counted(given: Samples, step: int) -> Rolled:
    """Plainly: (series, begin) → low, high, sum, count, first, first_ms, last, last_ms, increase."""
    buckets = defaultdict(list)
    for series, at, value in sorted(given):
        if math.isfinite(value):
            buckets[series, at // step * step].append((at, value))
    out: Rolled = {}
    for (series, begin), found in buckets.items():
        values = [v for _, v in found]
        grown = sum(b - a if b >= a else b for a, b in pairwise(values))
        out[series, begin] = (
            min(values), max(values), sum(values), len(values), values[0], found[0][0] - begin, values[-1],
            found[-1][0] - begin, grown,
        )  # fmt: skip
    return out


def rolled(store: Store, tier: Tier) -> Rolled:
    rows = store.rows(f"SELECT * FROM {tier.table} FINAL ORDER BY series, time")
    names = ("low", "high", "sum", "count", "first", "first_ms", "last", "last_ms", "increase")
    return {(r["series"], r["time"]): tuple(r[n] for n in names) for r in rows}


def last_mark(store: Store) -> int:
    mark: int = store.rows("SELECT max(batch) AS mark FROM samples")[0]["mark"]
    return mark


def roll(store: Store) -> None:
    rollups = Rollups(store)
    rollups.look(last_mark(store))
    while rollups.step():
        pass


def is_as_counted(store: Store, given: Samples) -> None:
    for tier in ROLLED:
        found, wanted = rolled(store, tier), counted(given, tier.step_ms)
        assert set(found) == set(wanted)
        for key, row in wanted.items():
            assert found[key] == pytest.approx(row), (tier.table, key)


def some(chance: random.Random, series: range, begin: int, hours: int, every: int = 60_000) -> Samples:
    """Gauges of even numbers, and counters of odd ones that restart at times; some values are no numbers."""
    out: Samples = []
    for s in series:
        value = 0.0
        for at in range(begin, begin + hours * HOUR_MS, every):
            value = (
                chance.uniform(-5, 5)
                if s % 2 == 0
                else (0.0 if chance.random() < 0.02 else value + chance.randrange(9))
            )
            out.append((s, at + chance.randrange(every), math.nan if chance.random() < 0.01 else value))
    return out


def test_rollups_are_what_counting_gives_late_samples_too(store: Store, journal: SqliteJournal) -> None:
    chance = random.Random(5)
    given = some(chance, range(6), BEGIN, 5)
    late = [x for x in given if chance.random() < 0.2]
    journal.append([samples([x for x in given if x not in late])])
    carry(journal, store)
    roll(store)
    covered = covered_up_to(store)
    assert covered > 0
    roll(store)
    assert covered_up_to(store) == covered, "nothing new, nothing done"
    journal.append([samples(late), samples(some(chance, range(9, 10), BEGIN + DAY, 1))])
    carry(journal, store)
    more = store.rows("SELECT series, time, value FROM samples WHERE series = 9")
    roll(store)
    is_as_counted(store, given + [(r["series"], r["time"], r["value"]) for r in more])


def test_what_is_left_of_the_samples_replaces_no_whole_row(store: Store, journal: SqliteJournal) -> None:
    given = some(random.Random(2), range(2), BEGIN, 1)
    journal.append([samples(given)])
    carry(journal, store)
    roll(store)
    store.command(f"DELETE FROM samples WHERE time < fromUnixTimestamp64Milli({BEGIN + HOUR_MS // 2}, 'UTC')")
    late = (0, BEGIN + HOUR_MS - 1, 3.0)
    journal.append([samples([late])])
    carry(journal, store)
    roll(store)
    found, wanted = rolled(store, ROLLED[1]), counted(given, HOUR_MS)
    assert found[0, BEGIN] == pytest.approx(wanted[0, BEGIN]), (
        "the hour as it was when all samples were there"
    )
    five = counted([*given, late], ROLLED[0].step_ms)
    last = BEGIN + HOUR_MS - ROLLED[0].step_ms
    assert rolled(store, ROLLED[0])[0, last] == pytest.approx(five[0, last]), (
        "where all are there, with the late one"
    )


def test_a_pass_that_failed_is_looked_for_again(store: Store, journal: SqliteJournal) -> None:
    given = some(random.Random(3), range(2), BEGIN, 2)
    journal.append([samples(given)])
    carry(journal, store)
    rollups = Rollups(store)
    rollups.look(last_mark(store))
    store.command("RENAME TABLE samples_1h TO elsewhere")
    with pytest.raises(TelemetryError):
        rollups.step()
    assert rollups.step() is False and covered_up_to(store) == 0
    store.command("RENAME TABLE elsewhere TO samples_1h")
    rollups.look(last_mark(store))
    while rollups.step():
        pass
    is_as_counted(store, given)


def test_kill_9_in_the_middle_of_rolling_up_changes_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    given = some(chance, range(40), BEGIN, 6)
    journal = SqliteJournal(tmp_path / "journal.db")
    for k in range(0, len(given), 2000):
        journal.append([samples(given[k : k + 2000])])
    for _ in range(2):
        with storing(tmp_path / "data", tmp_path / "journal.db", 0.3) as (process, dsn):
            store = Store(dsn)
            eventually(lambda: count(store, "samples_5m") > 0, 60, 0.01)  # noqa: B023
            process.send_signal(signal.SIGKILL)
            store.close()
    with storing(tmp_path / "data", tmp_path / "journal.db", 0.3) as (_, dsn):
        store = Store(dsn)
        eventually(lambda: journal.committed("telemetry") >= journal.end(), 60)
        eventually(lambda: covered_up_to(store) & 0xFFFFFFFFFF >= journal.end(), 60)
        is_as_counted(store, given)
        store.close()
    journal.close()


def test_a_chart_shows_old_days_of_which_the_samples_have_gone(store: Store, journal: SqliteJournal) -> None:
    now = now_ms()
    begin = now // DAY * DAY - 12 * DAY
    given: Samples = []
    for k in range(
        12 * 24 * 6
    ):  # every ten minutes, a day's number as value, and a counter that grows by 1 a second
        at = begin + k * 600_000
        given += [(0, at, float((at - begin) // DAY)), (1, at, float(k * 600 % 500_000))]
    journal.append([samples(given)])
    carry(journal, store)
    whole = Window(begin, now // DAY * DAY)
    gauge, counter = (
        points.points(store, [0], whole, buckets=12)[0],
        points.points(store, [1], whole, buckets=12, rate=True)[1],
    )
    assert gauge.mean == [float(day) for day in range(12)] and gauge.step_ms == DAY
    with pytest.raises(RetentionRefused, match="rolled up"):
        retention.keep(store, {"samples": 3})
    roll(store)
    retention.keep(store, {"samples": 3, "samples_5m": 6})
    for table in ("samples", "samples_5m"):
        store.command(f"OPTIMIZE TABLE {table} FINAL")
    oldest = retention.oldest(store)
    assert [t.table for t, _ in stretches(whole, DAY, oldest)] == ["samples_1h", "samples_5m", "samples"]
    assert store.rows("SELECT min(time) AS t FROM samples")[0]["t"] >= oldest["samples"] - DAY
    assert points.points(store, [0], whole, buckets=12)[0] == gauge
    again = points.points(store, [1], whole, buckets=12, rate=True)[1]
    assert again.times_ms == counter.times_ms
    assert again.mean == pytest.approx(counter.mean, rel=0.02)
    close = points.points(store, [0], Window(begin + 5_000, begin + HOUR_MS), buckets=200)[0]
    assert (close.step_ms, close.times_ms) == (HOUR_MS, [begin]), "no finer than what is kept"
    assert step_for(Window(now - HOUR_MS, now), 60, oldest) == 60_000
