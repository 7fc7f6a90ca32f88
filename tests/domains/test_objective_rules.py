"""The arithmetic of objectives against a plain reading of the same slots, event by event; their windows; and OpenSLO
documents, which are written and read again."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.domains.objectives import burn_words, openslo, openslo_writing
from watchkeeper.domains.objectives.excluding import flags
from watchkeeper.domains.objectives.openslo_parts import BadDocument
from watchkeeper.domains.objectives.periods import Window
from watchkeeper.domains.objectives.putting import USUAL, BurnRule, Method
from watchkeeper.domains.objectives.rules import (
    budget,
    burn,
    burning,
    counted,
    hourly_errors,
    left_over_time,
)

SLOT = st.one_of(
    st.none(),  # not measured
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda x: (float(min(x)), float(max(x)))),
)
SERIES = st.lists(st.tuples(SLOT, st.booleans()), min_size=1, max_size=120)
TARGETS = st.sampled_from([0.5, 0.9, 0.99, 0.999])


def _units(slots: list[Any], method: Method, least: float) -> list[tuple[float, float]]:
    """Good and all units of each slot, as a person would count them."""
    out = []
    for slot, excluded in slots:
        if slot is None or excluded:
            out.append((0.0, 0.0))
        elif method is Method.OCCURRENCES:
            out.append(slot)
        else:
            share = slot[0] / slot[1] if slot[1] else 1.0
            out.append((share if method is Method.RATIO_TIMESLICES else float(share >= least), 1.0))
    return out


def _arrays(slots: list[Any]) -> tuple[Any, Any, Any]:
    good, total = (np.array([math.nan if s is None else s[i] for s, _ in slots]) for i in (0, 1))
    return good, total, np.array([x for _, x in slots])


@given(SERIES, st.sampled_from(list(Method)), TARGETS, st.floats(0.1, 1.0), st.integers(0, 200))
def test_the_budget_is_what_counting_each_slot_says(
    slots: list[Any], method: Method, target: float, least: float, slices: int
) -> None:
    found = counted(*_arrays(slots), method, least)
    whole = 0 if method is Method.OCCURRENCES else slices
    units = _units(slots, method, least)
    total, bad = sum(t for _, t in units), sum(t - g for g, t in units)
    left = budget(found, target, whole)
    if not total:
        assert left is None
        return
    assert left is not None
    assert left.attained == pytest.approx(1 - bad / total)
    assert left.left == pytest.approx(1 - bad / ((1 - target) * max(total, whole)), abs=1e-6)
    at, line = left_over_time(found, target, whole, points=10_000)
    running = 0.0
    for n, value in zip(at, line, strict=True):
        running = sum(t - g for g, t in units[:n])
        assert value == pytest.approx(1 - running / ((1 - target) * max(total, whole)), abs=1e-4, rel=1e-4)


@given(
    SERIES,
    TARGETS,
    st.lists(st.tuples(st.floats(0.1, 20), st.integers(2, 60), st.integers(1, 59)), max_size=4),
)
def test_it_burns_when_both_windows_are_over_the_rate(
    slots: list[Any], target: float, drawn: list[Any]
) -> None:
    rules = [
        BurnRule(r, long * 300, min(short, long - 1) * 300, f"s{n}")
        for n, (r, long, short) in enumerate(drawn)
    ]
    found = counted(*_arrays(slots), Method.OCCURRENCES)
    units = _units(slots, Method.OCCURRENCES, 0)

    def rate(number: int) -> float:
        last = units[-number:]
        total = sum(t for _, t in last)
        return round(sum(t - g for g, t in last) / total / (1 - target), 9) if total else 0.0

    over = [r for r in rules if rate(r.long_s // 300) > r.rate and rate(r.short_s // 300) > r.rate]
    fires = burning(found, target, 300, rules)
    assert (fires is None) == (not over)
    if fires is not None:
        assert fires[0].rate == max(r.rate for r in over)
        assert fires[1] == pytest.approx(rate(fires[0].long_s // 300))


@given(SERIES.filter(lambda s: len(s) >= 12))
def test_hours_of_errors_come_to_the_burn_of_the_whole(slots: list[Any]) -> None:
    found = counted(*_arrays(slots), Method.OCCURRENCES)
    hours = hourly_errors(found, 12)
    assert len(hours) == len(slots) // 12
    assert np.all((np.isnan(hours)) | ((hours >= 0) & (hours <= 1)))


def test_an_outage_is_an_alert_at_the_rates_of_the_workbook() -> None:
    """1 % of errors with 99.9 %: 10 times too fast. It is over 6 after six hours and never over 14.4."""
    hours, slots = 30 * 24, 12
    total = np.full(hours * slots, 1000.0)
    for bad_hours, expected in ((0, None), (1, None), (5, 6.0), (24, 6.0)):
        good = total.copy()
        good[len(good) - bad_hours * slots :] *= 0.99
        fires = burning(
            counted(good, total, np.zeros(len(total), dtype=bool), Method.OCCURRENCES), 0.999, 300, USUAL
        )
        assert (fires[0].rate if fires else None) == (expected if bad_hours else None), bad_hours
    good[-slots:] = total[-slots:]  # it is over for an hour: the short window says so
    fires = burning(
        counted(good, total, np.zeros(len(total), dtype=bool), Method.OCCURRENCES), 0.999, 300, USUAL
    )
    assert fires is not None and fires[0].rate == 3.0
    assert burn(counted(good, total, np.zeros(len(total), dtype=bool), Method.OCCURRENCES), 0.999, 1) == 0


@given(st.lists(st.tuples(st.integers(-50, 400), st.integers(1, 90)), max_size=4), st.integers(1, 40))
def test_planned_time_is_left_out_slot_by_slot(drawn: list[tuple[int, int]], number: int) -> None:
    spans = [(a, a + length) for a, length in drawn]
    found = flags(spans, 0, number, 10)
    assert found.tolist() == [any(a < (n + 1) * 10 and b > n * 10 for a, b in spans) for n in range(number)]


@settings(deadline=None)
@given(
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.integers(1, 7),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
    st.one_of(st.none(), st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2035, 1, 1))),
)
def test_aligned_windows_follow_each_other_and_hold_now(
    now: dt.datetime, unit: str, count: int, zone: str, anchor: dt.datetime | None
) -> None:
    if anchor is not None:
        anchor = anchor.replace(day=min(anchor.day, 28), hour=0, minute=0, second=0, microsecond=0)
    window = Window(count, unit, True, zone, anchor)
    now_ms = int(now.replace(tzinfo=dt.UTC).timestamp() * 1000)
    begins, ends = window.period(now_ms)
    assert begins <= now_ms < ends
    assert window.period(ends)[0] == ends
    assert window.period(begins) == (begins, ends)
    wall = dt.datetime.fromtimestamp(begins / 1000, ZoneInfo(zone))
    if anchor is None and unit == "week":
        assert wall.weekday() == 0
    if anchor is None and unit in ("month", "quarter", "year"):
        assert wall.day == 1


RULE = st.builds(
    BurnRule, st.integers(1, 200).map(lambda n: n / 10), st.sampled_from([3600, 86_400, 7200]),
    st.sampled_from([60, 300, 1800]), st.sampled_from(burn_words.SEVERITIES),
)  # fmt: skip


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    indicator = draw(
        st.sampled_from(["good_total", "bad_total", "success_ratio", "failure_ratio", "threshold"])
    )
    method = draw(st.sampled_from([m.value for m in Method]))
    aligned = draw(st.booleans())
    return {
        "name": draw(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)),
        "title": draw(st.sampled_from(["", "Shop – answers"])),
        "description": draw(st.sampled_from(["", "what\nit: is"])), "indicator": indicator, "query": "sum(a)",
        "total_query": "sum(b)" if indicator.endswith("total") else "", "counter": draw(st.booleans()),
        "compare": draw(st.sampled_from(["lte", "lt", "gte", "gt"])), "limit": draw(st.integers(0, 100)) / 10,
        "target": draw(st.sampled_from([50.0, 99.0, 99.95, 99.999])), "method": method,
        "slice_seconds": draw(st.sampled_from([60, 300, 3600])), "slice_target": draw(st.sampled_from([90.0, 99.5])),
        "window_count": draw(st.integers(1, 30)), "window_unit": draw(st.sampled_from(["day", "week", "month", "year"])),
        "aligned": aligned, "zone": "Europe/Berlin" if aligned else "UTC",
        "anchor": "2026-02-01T00:00:00Z" if aligned else None,
        "alerts": burn_words.write(tuple(draw(st.lists(RULE, max_size=3)))),
    }  # fmt: skip


@given(st.lists(fields(), min_size=1, max_size=3, unique_by=lambda f: f["name"]))
def test_what_is_written_as_openslo_is_read_as_the_same(given_: list[dict[str, Any]]) -> None:
    found = openslo.read(openslo_writing.write((f, "shop") for f in given_))
    assert not found.odd
    for one, before in zip(found.objectives, given_, strict=True):
        assert one.service == "shop"
        expected = {k: v for k, v in before.items() if k in one.fields}
        assert one.fields == expected
        needed = {"name", "query", "target", "window_count", "window_unit", "alerts", "indicator", "method"}
        assert needed <= one.fields.keys()
        if before["indicator"] == "threshold":
            assert {"compare", "limit"} <= one.fields.keys()
        if before["method"] == "Timeslices":
            assert {"slice_seconds", "slice_target"} <= one.fields.keys()


EXAMPLE = """
apiVersion: openslo/v1
kind: Service
metadata: {name: web, displayName: Web shop}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: quick}
spec:
  thresholdMetric:
    metricSource: {type: Prometheus, spec: {query: 'histogram_quantile(0.9, sum by (le) (rate(d_bucket[5m])))'}}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 10, lookbackWindow: 1h, alertAfter: 5m}}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: alerts}
spec: {alertWhenBreaching: true, conditions: [{conditionRef: fast}], notificationTargets: [{targetRef: pager}]}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-quick, displayName: Web is quick}
spec:
  service: web
  indicatorRef: quick
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}}]
  budgetingMethod: Timeslices
  objectives:
    - {displayName: fast, op: lte, value: 0.2, target: 0.95, timeSliceTarget: 0.9, timeSliceWindow: 5m}
    - {displayName: bearable, op: lte, value: 1, targetPercent: 99, timeSliceTarget: 0.9, timeSliceWindow: 5m}
  alertPolicies: [alerts]
"""


def test_documents_that_refer_to_each_other() -> None:
    found = openslo.read(EXAMPLE)
    quick, bearable = found.objectives
    assert (quick.fields["name"], bearable.fields["name"]) == ("web-quick-1", "web-quick-2")
    assert (quick.fields["title"], quick.service) == ("Web is quick: fast", "Web shop")
    assert (quick.fields["limit"], bearable.fields["limit"]) == (0.2, 1.0)
    assert (quick.fields["target"], bearable.fields["target"]) == (95, 99)
    assert quick.fields["alerts"] == "10 over 1h and 5m: critical"
    assert (quick.fields["aligned"], quick.fields["window_unit"], quick.fields["zone"]) == (
        True,
        "month",
        "Europe/Berlin",
    )
    assert "notificationTargets" in found.odd[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("openslo/v1", "openslo/v2", "apiVersion"),
        ("budgetingMethod: Timeslices", "budgetingMethod: Hours", "none of Occurrences"),
        ("indicatorRef: quick", "indicatorRef: slow", "no SLI 'slow'"),
        ("op: lte, value: 0.2", "value: 0.2", "op is None"),
        ("target: 0.95", "target: 95", "from 0 to 1"),
        ("target: 0.95", "target: 1", "between 0 and 1"),
        ("timeSliceWindow: 5m", "timeSliceWindow: 7m", "none of 1m, 5m"),
        ("duration: 1M", "duration: a month", "not such as 30d"),
        ("alertPolicies: [alerts]", "alertPolicies: [other]", "no AlertPolicy 'other'"),
        ("lookbackWindow: 1h", "lookbackWindow: 1y", "burn rate"),
        ("metricSource:", "source:", "metricSource.spec is missing"),
        ("kind: SLO", "kind: SLOW", "none of SLO"),
        ("spec:\n  service", "spec: [\n  service", "no YAML"),
        ("metadata: {name: quick}", "metadata: quick", "metadata.name"),
    ],
)
def test_a_document_that_cannot_be_followed_is_refused_with_its_place(old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(BadDocument) as error:
        openslo.read(EXAMPLE.replace(old, new))
    assert said in str(error.value)
