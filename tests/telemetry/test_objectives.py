"""Objectives from samples in the store to how they stand, what is told, and what planned maintenance leaves out."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.telemetry.signals import carry, of, samples, series
from watchkeeper.app.foreseeing import Foreseeing
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.objectives.evaluating import Evaluation
from watchkeeper.domains.objectives.models import ServiceLevelObjective, Standing
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry.store import Store

NOW = dt.datetime.now(dt.UTC).replace(minute=1, second=0, microsecond=0)  # what is old is not kept
NOW_MS = int(NOW.timestamp() * 1000)
MINUTE, HOUR = 60_000, 3_600_000
SLOT = 5 * MINUTE
SINCE = NOW_MS // SLOT * SLOT - 72 * HOUR
GOOD, BAD, LATENCY = 11, 12, 13

pytestmark = pytest.mark.django_db(transaction=True)


def fill(journal: SqliteJournal, store: Store, failing: Callable[[int], float]) -> None:
    """Three days: 100 requests a minute, of which a share fails; a latency of 0.1 s, of 0.9 s while anything fails."""
    labels = {GOOD: {"code": "200"}, BAD: {"code": "500"}, LATENCY: {}}
    rows: list[Any] = [
        series(n, name, json.dumps({"__name__": name, **labels[n]}), kind)
        for n, name, kind in ((GOOD, "requests_total", "counter"), (BAD, "requests_total", "counter"),
                              (LATENCY, "latency_seconds", "gauge"))
    ]  # fmt: skip
    journal.append([of(Stream.SERIES, *rows)])
    rows, good, bad = [], 0.0, 0.0
    for at in range(SINCE - 10 * MINUTE, NOW_MS + 1, MINUTE):
        share = failing(at)
        good, bad = good + 100 * (1 - share), bad + 100 * share
        rows += [(GOOD, at, good), (BAD, at, bad), (LATENCY, at, 0.9 if share else 0.1)]
    journal.append([samples(rows)])
    carry(journal, store)


def objective(**fields: Any) -> ServiceLevelObjective:
    given = {
        "name": "shop", "target": 99.0, "window_count": 3, "query": 'sum(increase(requests_total{code="200"}[5m]))',
        "total_query": "sum(increase(requests_total[5m]))", **fields,
    }  # fmt: skip
    return ServiceLevelObjective.objects.create(**given)


def evaluate(store: Store, journal: SqliteJournal, now: dt.datetime = NOW) -> int:
    return Evaluation(store, journal, Foreseeing).once(now, threading.Event())


def events(journal: SqliteJournal) -> list[dict[str, Any]]:
    return [
        row for entry in journal.read(0) if entry.stream == Stream.EVENTS for row in entry.batch.to_pylist()
    ]


def during(*spans: tuple[int, int], share: float = 0.05) -> Callable[[int], float]:
    """Failing in these hours before now."""
    return lambda at: share if any(NOW_MS - a * HOUR <= at < NOW_MS - b * HOUR for a, b in spans) else 0.0


def test_events_are_counted_a_burning_budget_is_told_and_its_end_is_too(
    store: Store, journal: SqliteJournal
) -> None:
    fill(journal, store, during((2, 0)))
    one = objective()
    by_counter = {"query": 'requests_total{code="200"}', "total_query": "requests_total", "counter": True}
    for record in (one, objective(name="counters", alerts="", **by_counter)):
        evaluate(store, journal)
        kept = Standing.objects.get(objective=record)
        assert kept.error == ""
        assert kept.attained == pytest.approx(100 - 5 * 2 / 72, abs=0.02)
        assert kept.left == pytest.approx(100 - 500 * 2 / 72, abs=2)
        assert kept.burn_hour == pytest.approx(5.0, abs=0.1)
        assert kept.excluded_seconds == 0
    kept = Standing.objects.get(objective=one)
    assert kept.chart["left"][0] == 1.0 and kept.chart["left"][-1] == pytest.approx(
        kept.left / 100, abs=0.001
    )
    assert "of the error budget is spent" in kept.said
    assert "At this pace" in kept.foreseen
    assert evaluate(store, journal) == 0, "nothing is due before the next slot has ended"


def test_an_objective_is_evaluated_though_the_clock_was_set_back(
    store: Store, journal: SqliteJournal
) -> None:
    fill(journal, store, during((2, 0)))
    one = objective()
    evaluate(store, journal)
    before = NOW - dt.timedelta(hours=1)
    for now in (before, before + dt.timedelta(minutes=5)):
        assert evaluate(store, journal, now) == 1
        kept = Standing.objects.get(objective=one)
        assert kept.measured_until is not None and kept.measured_until <= now == kept.evaluated_at
        assert kept.foreseen_at == before


def test_a_burning_budget_is_told_until_it_burns_no_more(store: Store, journal: SqliteJournal) -> None:
    fill(journal, store, during((1, 0), share=0.5))
    one = objective(alerts="14.4 over 1h and 5m: critical")
    evaluate(store, journal)
    (told,) = events(journal)
    assert (told["name"], told["status"], told["severity"]) == ("ErrorBudgetBurns", "firing", "critical")
    assert json.loads(told["labels"])["objective"] == "shop"
    assert "50" in json.loads(told["annotations"])["description"]
    assert Standing.objects.get(objective=one).state == "at_risk"
    ServiceLevelObjective.objects.update(alerts="99 over 1h and 5m: critical")
    evaluate(store, journal, NOW + dt.timedelta(minutes=5))
    assert Standing.objects.get(objective=one).severity == ""


def test_planned_maintenance_is_left_out_where_it_is_so_set(store: Store, journal: SqliteJournal) -> None:
    fill(journal, store, during((30, 29), share=1.0))
    service = Item.objects.create(
        id="shop-id", name="shop", kind="service", first_seen_at=NOW, last_seen_at=NOW
    )
    window = MaintenanceWindow.objects.create(
        name="move",
        starts_at=NOW - dt.timedelta(hours=30),
        ends_at=NOW - dt.timedelta(hours=29),
        of_items=True,
    )
    window.items.add(service)
    without = objective(service=service)
    with_it = objective(name="all", service=service, exclude_maintenance=False)
    unrelated = objective(name="other")
    evaluate(store, journal)
    kept = Standing.objects.get(objective=without)
    assert kept.attained == pytest.approx(100, abs=0.02)
    assert 3600 <= kept.excluded_seconds <= 3600 + 600
    assert len(kept.chart["excluded"]) == 1
    for record in (with_it, unrelated):
        kept = Standing.objects.get(objective=record)
        assert kept.attained == pytest.approx(100 - 100 / 72, abs=0.1)
        assert (kept.excluded_seconds, kept.state) == (0, "broken")


RATE = 'sum(rate(requests_total{code="500"}[5m])) / sum(rate(requests_total[5m]))'
SORTS: list[tuple[dict[str, Any], float]] = [
    ({"indicator": "threshold", "query": "latency_seconds", "limit": 0.3}, 100 - 100 * 3 / 72),
    (
        {"indicator": "threshold", "query": "latency_seconds", "limit": 0.3, "method": "Timeslices"},
        100 - 100 * 3 / 72,
    ),
    ({"method": "Timeslices", "slice_target": 98.0}, 100 - 100 * 3 / 72),
    ({"method": "Timeslices", "slice_target": 90.0}, 100.0),
    ({"method": "RatioTimeslices"}, 100 - 5 * 3 / 72),
    ({"indicator": "bad_total", "query": 'sum(increase(requests_total{code="500"}[5m]))'}, 100 - 5 * 3 / 72),
    ({"indicator": "failure_ratio", "query": RATE}, 100 - 5 * 3 / 72),
]


def test_every_sort_of_indicator_and_budget(store: Store, journal: SqliteJournal) -> None:
    fill(journal, store, during((10, 7)))
    made = [(objective(name=f"sort-{n}", **fields), attained) for n, (fields, attained) in enumerate(SORTS)]
    evaluate(store, journal)
    for record, attained in made:
        kept = Standing.objects.get(objective=record)
        assert kept.error == ""
        assert kept.attained == pytest.approx(attained, abs=0.2), record.name


def test_a_query_that_has_no_answer_is_said(store: Store, journal: SqliteJournal) -> None:
    fill(journal, store, during())
    one = objective(query="requests_total + on (nothing) requests_total", total_query="requests_total")
    evaluate(store, journal)
    kept = Standing.objects.get(objective=one)
    assert kept.state == "not_known"
    assert kept.said.startswith("A query has no answer")
    ServiceLevelObjective.objects.filter(pk=one.pk).update(query="requests_total")
    assert evaluate(store, journal) == 1, "what is measured otherwise is measured anew"
    assert Standing.objects.get(objective=one).state == "kept"


def five_bad_of_six(at: int) -> float:
    """Good for the first ten minutes of an hour, to its full hour."""
    return 0.0 if at % HOUR < 10 * MINUTE else 0.5


@pytest.mark.parametrize(
    "asked",
    [
        {"indicator": "threshold", "query": "latency_seconds", "compare": "lt", "limit": 0.5},
        {"query": 'sum(increase(requests_total{code="200"}[5m]))', "slice_target": 70.0},
        {"indicator": "success_ratio", "slice_target": 70.0,
         "query": 'sum(rate(requests_total{code="200"}[5m])) / sum(rate(requests_total[5m]))'},
    ],
)  # fmt: skip
def test_a_slice_is_what_was_in_it_not_how_it_ended(
    store: Store, journal: SqliteJournal, asked: dict[str, Any]
) -> None:
    fill(journal, store, five_bad_of_six)
    one = objective(method="Timeslices", slice_seconds=3600, alerts="", **asked)
    evaluate(store, journal)
    kept = Standing.objects.get(objective=one)
    assert (kept.error, kept.attained) == ("", 0.0)


def test_what_a_longer_window_holds_is_measured_too(store: Store, journal: SqliteJournal) -> None:
    fill(journal, store, during((71, 70), share=0.5))
    one = objective(window_count=1, alerts="")
    evaluate(store, journal)
    one.days.filter(day__lt=(NOW - dt.timedelta(days=1)).date()).delete()
    Standing.objects.update(
        measured_from=NOW - dt.timedelta(days=1)
    )  # as if no alert had looked further back
    ServiceLevelObjective.objects.update(window_count=3)
    assert evaluate(store, journal, NOW + dt.timedelta(seconds=5)) == 1, "due before the next slot has ended"
    kept = Standing.objects.get(objective=one)
    assert kept.attained == pytest.approx(100 - 50 / 72, abs=0.05) and kept.unmeasured_seconds < 1800


def test_one_that_cannot_be_reckoned_keeps_no_other_waiting(store: Store, journal: SqliteJournal) -> None:
    fill(journal, store, during())
    last = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    wrong = objective(name="a", aligned=True, window_unit="month", anchor=last, alerts="")
    other = objective(name="b", alerts="")
    evaluate(store, journal)
    assert "cannot be reckoned" in Standing.objects.get(objective=wrong).error
    assert Standing.objects.get(objective=other).attained == 100.0
    assert evaluate(store, journal, NOW + dt.timedelta(seconds=5)) == 0, "both wait for their next slot"
