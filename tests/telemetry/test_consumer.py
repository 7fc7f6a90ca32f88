"""The journal's entries in the store: all of them, once each, whatever fails on the way."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.journal.test_jetstream_server import opened, server
from tests.support import eventually, free_port
from tests.telemetry.cut_line import CutLine
from tests.telemetry.signals import (
    carry,
    consuming,
    count,
    event,
    letter,
    log,
    many_samples,
    now_ms,
    of,
    samples,
    series,
    span,
)
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry import request
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.queries import dead_letters
from watchkeeper.telemetry.store import Store

DAY = 86_400_000


def test_every_stream_arrives_as_it_was_sent(journal: SqliteJournal, store: Store) -> None:
    at = now_ms()
    journal.append([
        of(Stream.SERIES, series(5, "up", '{"a":"b","job":"é"}')),
        samples([(5, at, 1.5), (5, at + 1, float("nan")), (2**64 - 1, at, -0.0)]),
        of(Stream.LOGS, log(at, "hello \x00 wörld", trace_id="t1"), log(at, "again", labels="{}")),
        of(Stream.SPANS, span(at, "a", "", "web")),
        of(Stream.EVENTS, event(at, "e1"), event(at, "e2", starts_ms=2**62, ends_ms=-5)),
        of(Stream.DEAD_LETTERS, letter(at)),
    ])  # fmt: skip
    journal.append([of(Stream.ACTS, {"time_ms": at, "document": b"{}"})])
    consumer = carry(journal, store)
    assert store.rows("SELECT id, name, labels, kind, unit FROM series") == [
        {"id": 5, "name": "up", "labels": {"a": "b", "job": "é"}, "kind": "gauge", "unit": "s"}
    ]
    found = store.rows("SELECT series, time, toString(value) AS value FROM samples ORDER BY series, time")
    assert [tuple(r.values()) for r in found] == [
        (5, at, "1.5"), (5, at + 1, "nan"), (2**64 - 1, at, "-0"),
    ]  # fmt: skip
    logs = store.rows("SELECT * EXCEPT (position, batch) FROM logs ORDER BY position")
    assert logs[0] == {
        "time": at, "received": at, "severity": 9, "host": "web-1", "service": "shop", "source": "nginx",
        "template_id": 0, "body": "hello \x00 wörld", "labels": {"k": "v"}, "trace_id": "t1", "span_id": "",
        "door": "syslog",
    }  # fmt: skip
    assert logs[1]["labels"] == {}
    assert store.rows("SELECT service, start, duration_ns, labels FROM spans") == [
        {"service": "web", "start": at, "duration_ns": 5_000_000, "labels": {"http.method": "GET"}}
    ]
    events = store.rows("SELECT id, starts, ends, labels, annotations FROM events ORDER BY id")
    assert events[0] == {
        "id": "e1",
        "starts": at,
        "ends": 0,
        "labels": {"host": "db-1"},
        "annotations": {"runbook": "r"},
    }
    assert (events[1]["starts"], events[1]["ends"]) == (
        4_102_444_800_000,
        0,
    )  # what cannot be is brought to its bound
    assert dead_letters.newest(store)[0].payload == b"\xff\x00x"
    assert consumer.statistics["rows"] == {
        "samples": 3, "logs": 2, "spans": 1, "events": 2, "dead_letters": 1, "series": 1, "templates": 0,
    }  # fmt: skip
    assert (consumer.statistics["offset"], consumer.statistics["lag"]) == (journal.end(), 0)


def test_a_second_run_stores_nothing_again(journal: SqliteJournal, store: Store) -> None:
    journal.append([many_samples(0, 1000, now_ms())])
    carry(journal, store)
    journal.append([many_samples(1000, 1000, now_ms())])
    carry(journal, store)
    carry(journal, store)
    assert store.rows("SELECT count() AS n, uniqExact(series) AS u FROM samples") == [{"n": 2000, "u": 2000}]


def test_what_is_too_old_or_too_far_ahead_is_a_dead_letter(journal: SqliteJournal, store: Store) -> None:
    at = now_ms()
    journal.append([
        samples([(1, at, 1.0), (2, 0, 1.0), (3, at - 31 * DAY, 1.0), (4, at + 2 * DAY, 1.0), (5, -(2**62), 0.0)]),
        of(Stream.LOGS, log(at, "now"), log(at - 40 * DAY, "old"), log(at, "x", time_ns=2**63 - 1)),
        of(Stream.SPANS, span(at - 40 * DAY, "a", "", "web")),
    ])  # fmt: skip
    carry(journal, store)
    assert store.rows("SELECT series FROM samples") == [{"series": 1}]
    assert store.rows("SELECT body FROM logs") == [{"body": "now"}]
    letters = dead_letters.newest(store)
    assert sorted(x.detail[:15] for x in letters) == ["1 rows of spans", "2 rows of logs ", "4 rows of sampl"]
    assert {x.reason for x in letters} == {"time_out_of_range"}
    assert len({x.position for x in letters}) == 3
    assert dead_letters.one(store, letters[0].position) == letters[0]


def test_templates_are_kept_with_their_lines(journal: SqliteJournal, store: Store) -> None:
    def templater(
        batch: pa.RecordBatch,
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], list[tuple[int, str, int]]]:
        if any("poison" in body for body in batch.column("body").to_pylist()):
            raise ValueError("cannot be mined")
        return np.arange(2**63, 2**63 + batch.num_rows, dtype=np.uint64), [(2**63, "user <*>", 0)]

    at = now_ms()
    journal.append([of(Stream.LOGS, log(at, "user 1"), log(at, "user 2")), samples([(1, at, 1.0)])])
    journal.append([of(Stream.LOGS, log(at, "poison"))])
    journal.append([of(Stream.LOGS, log(at, "user 3"))])
    consumer = carry(journal, store, templater)
    assert store.rows("SELECT template_id AS t, body FROM logs ORDER BY body") == [
        {"t": 2**63, "body": "user 1"}, {"t": 2**63 + 1, "body": "user 2"}, {"t": 2**63, "body": "user 3"},
    ]  # fmt: skip
    assert store.rows("SELECT id, text FROM templates FINAL") == [{"id": 2**63, "text": "user <*>"}]
    assert count(store, "samples") == 1
    aside = dead_letters.newest(store)
    assert len(aside) == 1 and aside[0].reason == "not_storable" and "cannot be mined" in aside[0].detail
    assert b"poison" in aside[0].payload and consumer.statistics["put_aside"] == 1


def test_rows_of_a_new_journal_are_not_taken_for_those_of_the_old(store: Store, tmp_path: Path) -> None:
    for name, groups in (("first", 3), ("second", 2), ("third", 1)):
        journal = SqliteJournal(tmp_path / f"{name}.db")
        for i in range(groups):
            journal.append([many_samples(i * 10, 10, now_ms())])
            carry(journal, store)
        journal.close()
    assert count(store, "samples") == 60
    assert len(store.rows("SELECT DISTINCT batch FROM samples")) == 6


def test_a_note_that_a_power_cut_took_back_repeats_nothing(store: Store, tmp_path: Path) -> None:
    size = 65_536  # of which four make a group
    journal = SqliteJournal(tmp_path / "journal.db")
    for i in range(6):
        journal.append([many_samples(i * size, size, now_ms())])
    journal.close()
    shutil.copy(
        tmp_path / "journal.db", tmp_path / "cut.db"
    )  # entries are synced, notes of what was passed not
    for name in ("journal.db", "cut.db", "cut.db"):
        journal = SqliteJournal(tmp_path / name)
        consumer = carry(journal, store)
        journal.close()
        assert count(store, "samples") == 6 * size
        if name == "journal.db":
            assert consumer.statistics["groups"] == 2


def test_a_group_that_is_too_large_for_one_request_is_stored_in_parts(
    journal: SqliteJournal, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "MAX_BODY", 4 * 2**20)
    for n in range(12):
        journal.append([many_samples(n * 65_536, 65_536, now_ms())])  # some 2 MB each
    consumer = carry(journal, store)
    assert consumer.statistics["retries"] == consumer.statistics["put_aside"] == 0
    assert count(store, "samples") == 12 * 65_536


@pytest.fixture
def line(endpoint: Endpoint) -> Iterator[CutLine]:
    made = CutLine(endpoint.port)
    yield made
    made.close()


def test_a_line_that_breaks_at_any_point_loses_and_doubles_nothing(
    journal: SqliteJournal, store: Store, line: CutLine, dsn: str
) -> None:
    chance = random.Random(7)
    shaky = Store(dsn.replace(f":{dsn.rpartition(':')[2].partition('/')[0]}/", f":{line.port}/"))
    line.lose = lambda data: b"INSERT" in data and chance.random() < 0.5
    total = 0
    with consuming(journal, shaky) as consumer:
        for _ in range(8):
            size = chance.randrange(1, 3000)
            logs = [log(now_ms(), f"line {total}-{i}") for i in range(5)]
            journal.append([many_samples(total, size, now_ms()), of(Stream.LOGS, *logs)])
            total += size
            if chance.random() < 0.3:
                line.cut()
            eventually(lambda: journal.committed("telemetry") >= journal.end() - 6, timeout=60)
        line.lose = lambda _: False
        eventually(lambda: journal.committed("telemetry") >= journal.end(), timeout=60)
    assert line.lost > 0 and consumer.statistics["retries"] > 0
    shaky.close()
    found = store.rows("SELECT count() AS n, uniqExact(series) AS u FROM samples")
    assert found == [{"n": total, "u": total}]
    assert store.rows("SELECT count() AS n, uniqExact(body) AS u FROM logs") == [{"n": 40, "u": 40}]


def test_a_store_that_is_away_for_a_while_is_waited_for(
    journal: SqliteJournal, store: Store, line: CutLine, dsn: str
) -> None:
    shaky = Store(dsn.replace(f":{dsn.rpartition(':')[2].partition('/')[0]}/", f":{line.port}/"))
    line.refuse = True
    with consuming(journal, shaky) as consumer:
        journal.append([many_samples(0, 10, now_ms())])
        eventually(lambda: consumer.statistics["retries"] >= 2)
        line.refuse = False
        eventually(lambda: journal.committed("telemetry") >= journal.end())
    shaky.close()
    assert count(store, "samples") == 10


def test_a_journal_that_does_not_answer_is_waited_for(store: Store, tmp_path: Path) -> None:
    port = free_port()
    with server(port, tmp_path) as first:
        journal = opened(port, tmp_path)
        last = journal.append([many_samples(0, 10, now_ms())])
        first.kill()
        first.wait()
        with consuming(journal, store) as consumer:
            eventually(lambda: consumer.statistics["retries"] >= 2)
            with server(port, tmp_path):
                eventually(lambda: consumer.statistics["offset"] == last)
                assert journal.committed("telemetry") == last and count(store, "samples") == 10
    journal.close()
