"""The questions that screens ask, over a small world that is known."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.telemetry.signals import carry, letter, log, now_ms, of, samples, series, span
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.errors import Malformed
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import (
    Alert,
    AlertStatus,
    Cause,
    Finding,
    Severity,
    Situation,
    SituationState,
)
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.findings import FindingLog
from watchkeeper.telemetry.queries import dead_letters, findings, log_groups, logs, metrics, points, traces
from watchkeeper.telemetry.queries.series import (
    Matcher,
    Wanted,
    by_id,
    count,
    label_names,
    label_values,
    search,
)
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.rows import Ids
from watchkeeper.telemetry.store import Store, TelemetryRefused

STEP = 10_000
NOW = now_ms() // 600_000 * 600_000  # so that buckets begin where the data do
START = NOW - 600_000
WINDOW = Window(START, NOW)
BODIES = ("hello World-12 request_id=abc{n}", "Connection timeout to db-3", "link down: eth0")


def templater(batch: pa.RecordBatch) -> tuple[Ids, list[tuple[int, str, int]]]:
    ids = np.arange(batch.num_rows, dtype=np.uint64) % 3 + 1
    return ids, [(1, "hello <*>", 0), (2, "timeout", 0), (3, "link", 0)]


@pytest.fixture(scope="module")
def world(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Five gauges, five counters that restart at 200, a hundred log lines, a trace and three dead letters."""
    store = Store(f"{endpoint.dsn.rpartition('/')[0]}/world")
    store.migrate()
    journal = SqliteJournal(tmp_path_factory.mktemp("world") / Path("journal.db"))
    journal.append([
        of(Stream.SERIES, *(
            series(i, "cpu" if i < 5 else "requests_total", f'{{"host":"web-{i}","job":"x"}}',
                   "gauge" if i < 5 else "counter") for i in range(10))),
        samples([(i, START + k * STEP, float(i + k) if i < 5 else float(k * 10 % 200))
                 for i in range(10) for k in range(60)]),
        of(Stream.LOGS, *(
            log(NOW - 1 - k * 1000, BODIES[k % 3].format(n=k), severity=(9, 17, 0, 24)[k % 4], host=f"h{k % 3}",
                trace_id="t1" if k == 3 else "") for k in range(100))),
        of(Stream.SPANS, span(NOW - 50, "a", "", "web"), span(NOW - 40, "b", "a", "web", kind="client", peer="api"),
           span(NOW - 30, "c", "b", "api", status="error"), span(NOW - 20, "d", "c", "api", kind="client", peer="pg")),
        of(Stream.DEAD_LETTERS, letter(NOW), letter(NOW), letter(NOW, "too_large")),
    ])  # fmt: skip
    carry(journal, store, templater)
    journal.close()
    yield store
    store.close()


def test_series_are_found_by_name_labels_and_text(world: Store) -> None:
    wanted = Wanted(name="cpu", matchers=(Matcher("host", "web-[12]", "=~"), Matcher("job", "x")))
    found = search(world, wanted, now_ms=NOW)
    assert [(s.id, s.labels["host"]) for s in found] == [(1, "web-1"), (2, "web-2")]
    assert found[0].latest == points.Latest(NOW - STEP, 60.0)
    assert [s.id for s in search(world, Wanted(text="WEB-7"), now_ms=NOW)] == [7]
    assert [s.id for s in search(world, Wanted(prefix="req"), now_ms=NOW, limit=2, offset=1)] == [6, 7]
    not_these = Wanted(matchers=(Matcher("host", "web-1", "!="), Matcher("__name__", "req.*", "!~")))
    assert [s.id for s in search(world, not_these, now_ms=NOW)] == [0, 2, 3, 4]
    assert (count(world, Wanted(prefix="req")), count(world, Wanted())) == (5, 10)
    assert list(by_id(world, [3, 99])) == [3] and by_id(world, []) == {}
    with pytest.raises(ValueError, match="none of"):
        search(world, Wanted(matchers=(Matcher("a", "b", "~"),)), now_ms=NOW)
    with pytest.raises(TelemetryRefused):
        search(world, Wanted(matchers=(Matcher("a", "(", "=~"),)), now_ms=NOW)


def test_labels_have_names_and_values(world: Store) -> None:
    assert label_names(world) == ["host", "job"]
    assert label_names(world, name="nothing") == []
    assert label_values(world, "host", prefix="web-", name="cpu") == [f"web-{i}" for i in range(5)]
    assert label_values(world, "__name__") == ["cpu", "requests_total"]


def test_points_are_thinned_and_counters_become_rates(world: Store) -> None:
    gauge = points.points(world, [1], WINDOW, buckets=10)[1]
    assert gauge.times_ms == [START + i * 60_000 for i in range(10)] and gauge.step_ms == 60_000
    assert (gauge.low[0], gauge.high[0], gauge.mean[0], gauge.last[0]) == (1.0, 6.0, 3.5, 6.0)
    rate = points.points(world, [7], WINDOW, buckets=10, rate=True)[7]
    assert rate.mean[0] == 1.0 and rate.high == [1.0] * 10
    # it restarted between 190 and 0: nothing can be known to have been added by then
    assert rate.low[3] == 0.0 and rate.mean[3] == pytest.approx(50 / 60)
    assert points.points(world, [99], WINDOW) == {} and points.latest(world, [], now_ms=NOW) == {}


def test_a_chart_has_means_of_gauges_and_rates_of_counters(world: Store) -> None:
    [found] = metrics.names(world, "REQ total")
    assert (found.name, found.series, found.kind) == ("requests_total", 5, "counter")
    found = metrics.find(world, "cpu", {"host": "web-1"}) + metrics.by_ids(world, [7])
    drawn = metrics.points(world, found, START, NOW, 10)
    assert drawn[1][0] == (START, 3.5) and drawn[7][0] == (START, 1.0)
    assert metrics.points(world, metrics.by_ids(world, [3]), 0, 1, 10) == {3: []}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("timeout", 33), ("TIMEOUT db-3", 33), ("conn", 33), ("nection tim", 33), ('"conn"', 0), ('"link down"', 33),
        ("-timeout -hello", 33), ("abc6", 5), ('"abc6"', 1), ("request_id=abc6", 5), ("äé%_'\\", 0), ("", 100),
        ("-", 67), ("tim*db", 33), ("/o db-\\d$/", 33), ("timeout OR (hello -abc3)", 62),
        ("hello timeout", 0), ('"World 12"', 0), ("world-12", 34),
    ],
)  # fmt: skip
def test_words_are_found_in_lines(world: Store, text: str, lines: int) -> None:
    assert len(logs.search(world, text, from_ms=START, to_ms=NOW)[0]) == lines


def test_lines_come_newest_first_page_by_page(world: Store) -> None:
    seen, before = [], ""
    while True:
        lines, before = logs.search(world, from_ms=START, to_ms=NOW, before=before, limit=30)
        seen += lines
        if not before:
            break
    assert len({line.position for line in seen}) == 100
    assert [line.time for line in seen] == sorted((line.time for line in seen), reverse=True)
    one = logs.search(world, "trace:t1 host:H0 source:NGINX severity>=error", from_ms=START, to_ms=NOW)[0]
    assert [line.body for line in one] == ["hello World-12 request_id=abc3"] and one[0].source_name == "shop"
    assert len(logs.search(world, "template:2", from_ms=START, to_ms=NOW)[0]) == 33
    for foreign in ("x", "1-x", "-"):
        with pytest.raises(Malformed):
            logs.search(world, from_ms=START, to_ms=NOW, before=foreign)


def test_lines_are_counted_over_time_and_by_template(world: Store) -> None:
    bars = logs.histogram(world, from_ms=START, to_ms=NOW, bars=10)
    assert len(bars) == 10 and [b.count for b in bars[-3:]] == [0, 40, 60]
    assert bars[-1].severities == {"info": 15, "error": 15, "unknown": 15, "fatal": 15}
    assert sum(b.count for b in logs.histogram(world, from_ms=START, to_ms=NOW, bars=7)) == 100
    shapes = log_groups.templates(world, from_ms=START, to_ms=NOW)
    assert [(s.id, s.text, s.count) for s in shapes] == [
        (1, "hello <*>", 34),
        (2, "timeout", 33),
        (3, "link", 33),
    ]
    assert all(sum(s.course) == s.count for s in shapes)
    assert [s.id for s in log_groups.templates(world, "link", from_ms=START, to_ms=NOW)] == [3]
    every = logs.around(world, hosts=["h0", "h1"], services=[], from_ms=START, to_ms=NOW, limit=100)
    assert every and all(line.severity >= 13 for line, _ in every)
    assert [line.time for line, _ in every] == sorted(line.time for line, _ in every)
    kinds = {(line.template_id, line.host, line.service, line.source) for line, _ in every}
    assert len(kinds) == len(every), "one line of each shape from each source"
    bad, _ = logs.search(world, "severity>=warn", from_ms=START, to_ms=NOW)
    assert sum(n for _, n in every) == sum(line.host.lower() in ("h0", "h1") for line in bad)


def test_spans_make_a_trace_and_edges(world: Store) -> None:
    found = traces.trace(world, "t1")
    assert [(s.span_id, s.service) for s in found] == [("a", "web"), ("b", "web"), ("c", "api"), ("d", "api")]
    assert traces.trace(world, "t2") == []
    assert traces.service_edges(world, WINDOW) == [
        traces.Edge("api", "pg", 1, 0, 5.0, 5.0), traces.Edge("web", "api", 1, 1, 5.0, 5.0),
    ]  # fmt: skip


def test_dead_letters_are_counted_and_paged(world: Store) -> None:
    assert dead_letters.counts(world) == [
        dead_letters.Count("otlp", "malformed", 2), dead_letters.Count("otlp", "too_large", 1),
    ]  # fmt: skip
    first = dead_letters.newest(world, limit=2)
    rest = dead_letters.newest(world, limit=2, before=first[-1])
    assert len({x.position for x in first + rest}) == 3 and rest[0].text == "\\xff\0x"
    assert dead_letters.one(world, rest[0].position) == rest[0] and dead_letters.one(world, 1) is None
    assert dead_letters.newest(world, door="nope") == dead_letters.newest(world, reason="nope") == []


def test_conclusions_are_kept_with_their_reasons(world: Store) -> None:
    because = (Reason(ReasonKind.LEVEL, "CPU of web-1 is 9 times its usual", 0.9, {"z": 9.1}),)
    finding = Finding(key="level|1", kind="level", item="i1", name="CPU", severity=Severity.ERROR, time_ms=NOW - 5,
                      score=0.97, labels={"host": "web-1"}, because=because)  # fmt: skip
    alert = Alert(fingerprint="f" * 16, item="i1", name="CPU", severity=Severity.ERROR, status=AlertStatus.RESOLVED,
                  summary="s", labels={}, source="detect", starts_ms=NOW, first_seen_ms=NOW, last_seen_ms=NOW)  # fmt: skip
    situation = Situation(id="s1", state=SituationState.OPEN, severity=Severity.CRITICAL, title="web-1 is slow",
                          opened_ms=NOW, updated_ms=NOW, because=because, causes=(Cause("i1", 0.8, because),),
                          version="graph-time-1")  # fmt: skip
    kept, stop = FindingLog(world), threading.Event()
    thread = threading.Thread(target=kept.run, args=(stop,))
    thread.start()
    kept.put(NOW - 4, [finding], [alert], [situation])
    stop.set()
    thread.join()
    assert kept.statistics == {"stored": 4, "dropped": 0}
    assert [f.stage for f in findings.history(world, WINDOW, item="i1", stage="detect")] == ["detect"]
    past = findings.history(world, WINDOW, key="level|1")[0]
    assert (past.because, past.labels, past.score, past.active) == (because, {"host": "web-1"}, 0.97, True)
    assert {f.stage for f in findings.history(world, WINDOW, key="s1")} == {"correlate", "determine_cause"}
    spark = findings.sparkline(world, WINDOW, buckets=10)
    assert len(spark) == 10 and [c.counts for c in spark if c.counts] == [{"error": 1}]
