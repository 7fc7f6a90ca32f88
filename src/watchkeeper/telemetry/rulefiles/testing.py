"""Runs the cases of a file of tests: series go into a store, rules are evaluated step by step in a time of their own, and
what fires is compared, as `promtool test rules` does (cmd/promtool/unittest.go)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa

from watchkeeper.model.series import NAME, labels_json, series_id
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql import Beside
from watchkeeper.telemetry.rulefiles.alerts import State
from watchkeeper.telemetry.rulefiles.groups import Running, rows_of
from watchkeeper.telemetry.rulefiles.notation import named
from watchkeeper.telemetry.rulefiles.test_files import AlertCheck, Case, Expected, QueryCheck, TestFile
from watchkeeper.telemetry.store import Store

MOST_STEPS = 100_000


def run(tests: TestFile, store: Store) -> list[str]:
    """What is not as expected, in sentences; none when all is well. The store is this test's alone: what is in it is
    removed. Raises TelemetryError and BadRules."""
    store.migrate()
    for table, column in (("samples", "time"), ("series", "last_seen")):  # virtual time begins in 1970
        store.command(f"ALTER TABLE {table} MODIFY TTL toDateTime({column}) + INTERVAL 100 YEAR")
    return [f"{case.name}: {text}" for case in tests.cases for text in _run(tests, case, store)]


def _run(tests: TestFile, case: Case, store: Store) -> list[str]:
    if case.last_ms // tests.step_ms > MOST_STEPS:
        return [f"the checks take more than {MOST_STEPS:,} evaluations"]
    _load(case, store)
    beside = Beside()
    ask = partial(_ask, store, beside)
    groups = [Running(g, ask, beside.put, case.labels, case.url) for g in tests.groups]
    waiting = sorted(case.alerts, key=lambda c: c.at_ms)
    out: list[str] = []
    for now in range(0, case.last_ms + 1, tests.step_ms):
        for group in groups:
            group.evaluate(now)
            out += [f"rule {one.rule.name}, at {_at(now)}: {one.error}" for one in group.rules if one.error]
        if out:
            return out
        while waiting and waiting[0].at_ms < now + tests.step_ms:
            out += _alerts(waiting.pop(0), groups)
    return out + [text for check in case.queries for text in _query(check, ask)]


def _ask(store: Store, beside: Beside, text: str, now_ms: int) -> promql.Value:
    return promql.query(store, text, now_ms, beside=beside)


def _load(case: Case, store: Store) -> None:
    for table in ("series", "samples"):
        store.command(f"TRUNCATE TABLE {table}")
    if not case.series:
        return
    ids = [series_id(labels) for labels, _ in case.series]
    seen = pa.array([0] * len(ids), pa.timestamp("ms"))
    store.insert("series", pa.table({
        "id": pa.array(ids, pa.uint64()), "name": [labels.get(NAME, "") for labels, _ in case.series],
        "labels_json": [labels_json(labels) for labels, _ in case.series], "first_seen": seen, "last_seen": seen,
    }))  # fmt: skip
    rows = [
        (of, i * case.interval_ms, value)
        for of, (_, values) in zip(ids, case.series, strict=True)
        for i, value in enumerate(values)
        if value is not None
    ]
    store.insert("samples", pa.table({
        "series": pa.array([r[0] for r in rows], pa.uint64()), "time": pa.array([r[1] for r in rows], pa.timestamp("ms")),
        "value": pa.array([r[2] for r in rows], pa.float64()), "batch": pa.array([0] * len(rows), pa.uint64()),
    }))  # fmt: skip


def _alerts(check: AlertCheck, groups: Sequence[Running]) -> list[str]:
    there = [
        (dict(a.labels), dict(a.annotations))
        for group in groups
        for one in group.rules
        if one.states is not None and one.rule.name == check.name
        for a in one.states.alerts()
        if a.state is State.FIRING
    ]
    expected = list(check.expected)
    if sorted(map(_sortable, there)) == sorted(map(_sortable, expected)):
        return []
    told = [" and ".join(map(_written, some)) or "nothing" for some in (expected, there)]
    return [f"alert {check.name}, at {_at(check.at_ms)}: expected {told[0]}; there is {told[1]}"]


def _query(check: QueryCheck, ask: partial[promql.Value]) -> list[str]:
    try:
        found = rows_of(ask(check.expr, check.at_ms))
    except promql.QueryError as error:
        return [f"expression {check.expr}, at {_at(check.at_ms)}: {error.detail}"]
    there = sorted(f"{named(dict(labels))} {promql.written(v)}" for labels, v in found)
    expected = sorted(f"{named(labels)} {promql.written(v)}" for labels, v in check.expected)
    if there == expected:
        return []
    told = [", ".join(some) or "nothing" for some in (expected, there)]
    return [f"expression {check.expr}, at {_at(check.at_ms)}: expected {told[0]}; there is {told[1]}"]


def _sortable(alert: Expected) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return sorted(alert[0].items()), sorted(alert[1].items())


def _written(alert: Expected) -> str:
    return f"{named(alert[0])} with annotations {named(alert[1])}" if alert[1] else named(alert[0])


def _at(ms: int) -> str:
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes}m" if not rest else f"{minutes}m{rest / 1000:g}s"
