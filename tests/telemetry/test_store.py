"""The store: its migrations, its limits, what its errors say, and how long rows are kept."""

from __future__ import annotations

import re
import time

import pyarrow as pa
import pytest

from tests.support import free_port
from tests.telemetry.signals import count, now_ms
from watchkeeper.telemetry import migrations, request, retention
from watchkeeper.telemetry.kept import RetentionRefused
from watchkeeper.telemetry.queries import storage
from watchkeeper.telemetry.store import (
    Store,
    TelemetryError,
    TelemetryRefused,
    TelemetryTimeout,
    TelemetryUnavailable,
)
from watchkeeper.telemetry.upkeep import refresh_series


def sample_rows(times_ms: list[int]) -> pa.Table:
    n = len(times_ms)
    return pa.table({
        "series": pa.array([7] * n, pa.uint64()), "time": pa.array(times_ms, pa.int64()).view(pa.timestamp("ms")),
        "value": pa.array([1.0] * n), "batch": pa.array([1] * n, pa.uint64()),
    })  # fmt: skip


def test_migrations_run_once_and_a_killed_run_is_simply_repeated(dsn: str) -> None:
    store = Store(dsn)
    names = [f"{m.number:04}_{m.name}" for m in migrations.known()]
    assert [n[:4] for n in names] == [f"{i:04}" for i in range(1, len(names) + 1)]
    assert store.migrate() == names
    assert store.migrate() == []
    store.insert("samples", sample_rows([now_ms()]))
    for half in (0, len(names) - 1):
        # as if killed after the statements of the rest, before they were recorded
        store.command(f"DELETE FROM migrations WHERE number > {half}")
        assert store.migrate() == names[half:]
    assert count(store, "samples") == 1
    store.close()


def test_rows_come_as_python_values_with_times_in_milliseconds(store: Store) -> None:
    row = store.rows(
        "SELECT map('a', {s:String}) AS labels, fromUnixTimestamp64Milli(1700000000123, 'UTC') AS time, 1 AS n",
        {"s": "b'\\c"},
    )
    assert row == [{"labels": {"a": "b'\\c"}, "time": 1700000000123, "n": 1}]
    assert store.query("SELECT 1 AS n WHERE 0").schema.names == ["n"]


def test_a_query_ends_at_its_limit(store: Store) -> None:
    began = time.monotonic()
    with pytest.raises(TelemetryTimeout) as late:
        store.query("SELECT sum(cityHash64(number)) FROM numbers(100000000000)", limit_seconds=1)
    assert late.value.status == 504 and time.monotonic() - began < 10


def test_errors_say_whether_it_is_worth_trying_again(store: Store) -> None:
    with pytest.raises(TelemetryRefused):
        store.insert("samples", pa.table({"no_column": [1]}))
    with pytest.raises(TelemetryRefused):
        store.insert("samples", pa.table({"series": ["not a number"]}))
    with pytest.raises(TelemetryError) as wrong:
        store.query("SELECT nothing")
    assert type(wrong.value) is TelemetryError and wrong.value.code == 47
    assert store.ping() and count(store, "samples") == 0


def test_rows_that_are_too_many_for_one_request_are_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the endpoint knows it long before all of them are sent."""
    monkeypatch.setattr(request, "MAX_BODY", 2**20)
    table = sample_rows([now_ms()] * 3_000_000)
    with pytest.raises(TelemetryRefused, match="1048576 bytes"):
        store.insert("samples", table)
    store.insert("samples", table.slice(0, 10))
    assert count(store, "samples") == 10


def test_a_store_that_is_not_there_says_so() -> None:
    store = Store(f"http://watchkeeper:x@127.0.0.1:{free_port()}/nowhere")
    assert not store.ping()
    with pytest.raises(TelemetryUnavailable):
        store.query("SELECT 1")
    store.close()
    with pytest.raises(ValueError, match="http"):
        Store("postgres://somewhere")


def test_a_wrong_secret_is_an_error(dsn: str) -> None:
    scheme, _, rest = dsn.partition("://")
    store = Store(f"{scheme}://watchkeeper:wrong@{rest.partition('@')[2]}")
    with pytest.raises(TelemetryError) as refused:
        store.query("SELECT 1")
    assert refused.value.code == 516
    store.close()


def test_retention_is_set_by_table_and_old_rows_go(store: Store) -> None:
    assert retention.days(store) == {
        "samples": 30, "samples_5m": 180, "samples_1h": 730, "logs": 30, "spans": 30, "events": 365, "findings": 365,
        "dead_letters": 30,
    }  # fmt: skip
    assert retention.keep(store, {"samples": 0, "samples_5m": 0, "samples_1h": 0, "logs": 7}) == {
        "samples": 30, "samples_5m": 180, "samples_1h": 730, "logs": 30,
    }  # fmt: skip
    assert retention.days(store)["samples"] == 0 and retention.days(store)["logs"] == 7
    old, new = now_ms() - 40 * 86_400_000, now_ms()
    store.insert("samples", sample_rows([old, new]))
    assert count(store, "samples") == 2
    store.command("INSERT INTO rolled (covered) VALUES (1)")
    assert retention.keep(store, {"samples": 30}) == {"samples": 0}
    store.command("OPTIMIZE TABLE samples FINAL")
    assert count(store, "samples") == 1


def test_the_store_says_what_it_holds_and_how_far_back(store: Store) -> None:
    at = now_ms() - 5 * 86_400_000
    store.insert("samples", sample_rows([at, now_ms()]))
    found = {row.table: row for row in storage.usage(store)}
    assert set(found) == set(retention.days(store))
    samples, logs = found["samples"], found["logs"]
    assert (samples.rows, samples.oldest_ms, samples.days) == (2, at, 30) and samples.bytes > 0
    assert (logs.rows, logs.bytes, logs.oldest_ms) == (0, 0, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"journals": 1}, "journals: no retention is chosen for this"),
        ({"logs": -1}, "logs: write days from 1 to"),
        ({"samples": 181}, "samples: 181 days here and 180 days for Metrics by 5 minutes: what is coarser"),
        ({"samples_1h": 90}, "samples_1h: 90 days here and 180 days for Metrics by 5 minutes"),
        ({"samples": 0}, "samples: for ever here and 180 days for"),
    ],
)
def test_days_that_cannot_be_are_refused_by_name(store: Store, changes: dict[str, int], said: str) -> None:
    before = retention.days(store)
    with pytest.raises(RetentionRefused, match=re.escape(said)):
        retention.keep(store, changes)
    assert retention.days(store) == before


def test_a_series_is_known_as_long_as_it_has_samples(store: Store) -> None:
    announced = pa.array([now_ms() - 10 * 86_400_000], pa.int64()).view(pa.timestamp("ms"))
    store.insert("series", pa.table({
        "id": pa.array([7], pa.uint64()), "name": ["up"], "labels_json": ['{"a":"b"}'], "kind": ["gauge"],
        "unit": [""], "door": ["d"], "first_seen": announced, "last_seen": announced,
    }))  # fmt: skip
    sampled = now_ms() - 1000
    store.insert("samples", sample_rows([sampled]))
    for _ in range(2):
        refresh_series(store, now_ms() - 86_400_000)
    assert store.rows("SELECT * FROM series FINAL") == [
        {"id": 7, "name": "up", "labels": {"a": "b"}, "kind": "gauge", "unit": "", "door": "d",
         "first_seen": announced[0].value, "last_seen": sampled}
    ]  # fmt: skip
    assert count(store, "series") == 2
