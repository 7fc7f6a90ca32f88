"""Telemetry through its own HTTP endpoint: rows stored for each CPU second, and how long questions take.

    python -m benchmarks.telemetry [--rows 1000000 10000000] [--json]

`store`: Arrow tables through Store.insert, HTTP and the engine to synced parts; beside it the same tables into a
synced SQLite file with executemany, as a floor. `carry`: journal entries through the consumer. `questions` are
asked of the largest number of samples, 10 s apart, of 1,000 series, and a million log lines. CPU is that of client
and endpoint together, which share this process. `quiet`: resident memory, and CPU while nothing arrives.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.telemetry.consumer import TelemetryConsumer
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.queries import logs, metrics, points, series, traces
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.store import Store

SERIES, STEP_MS, BATCH, LINES = 1000, 10_000, 262_144, 1_000_000
ENTRY = 65_536  # the largest that a journal takes
PROCESS = psutil.Process()
NOW = int(time.time() * 1000) // 60_000 * 60_000


def cpu() -> float:
    """CPU seconds of this process so far, all threads."""
    times = PROCESS.cpu_times()
    return times.user + times.system


def sample_columns(first: int, rows: int, total: int) -> tuple[Any, Any, Any]:
    """Rows `first` to `first + rows` of `total`: scrape after scrape of all series, the last of them now."""
    at = np.arange(first, first + rows)
    scrape, which = at // SERIES, at % SERIES
    time_ms = NOW - (total // SERIES - scrape) * STEP_MS
    noise = np.random.default_rng(first).normal(size=rows)
    value = np.where(which % 2 == 0, np.round(50 + 5 * noise, 2), scrape * (which + 1) * 10.0)
    return (which + 1).astype(np.uint64), time_ms.astype(np.int64), value


def sample_table(first: int, rows: int, total: int) -> pa.Table:
    """The same as rows of the store."""
    ids, time_ms, value = sample_columns(first, rows, total)
    mark = np.full(rows, 1, dtype=np.uint64)
    columns = {
        "series": ids,
        "time": pa.array(time_ms).view(pa.timestamp("ms")),
        "value": value,
        "batch": mark,
    }
    return pa.table(columns)


def log_batch(first: int, rows: int) -> pa.RecordBatch:
    """Log lines of six shapes, the last of them now."""
    shapes = (
        "Accepted publickey for user{a} from 10.0.{b}.{c} port {d} ssh2: RSA SHA256:{e}",
        "GET /api/v1/items/{a}?page={b} HTTP/1.1 200 {c} {d}ms request_id={e}",
        "worker {a} finished job {b} in {c} ms, {d} rows written, checksum {e}",
        "failed to connect to db-{a}: timeout after {b} ms (attempt {c} of {d}) trace={e}",
        "Connection closed by 10.1.{a}.{b} port {c} [preauth] user{d} {e}",
        "kernel: [{a}.{b}] eth{c}: link up, {d} Mbps, full duplex {e}",
    )
    random = np.random.default_rng(first)
    a = random.integers(0, 250, (rows, 4)).tolist()
    ids = random.integers(0, 2**62, rows).tolist()
    body = [
        shapes[i % 6].format(a=n[0], b=n[1], c=n[2], d=n[3], e=f"{id:016x}")
        for i, (n, id) in enumerate(zip(a, ids, strict=True))
    ]
    if first == 0:
        body[100] = "the needle is deadbeefcafe0001 here"
    times = NOW * 1_000_000 - (LINES - np.arange(first, first + rows)) * 3_000_000
    same: dict[str, Any] = {
        "received_ms": times // 1_000_000, "severity": np.full(rows, 9, dtype=np.uint8), "time_ns": times,
        "host": [f"web-{n[0] % 40}" for n in a], "service": ["shop"] * rows, "source": ["sshd"] * rows,
        "body": body, "labels": ['{"facility":"daemon"}'] * rows, "trace_id": [""] * rows, "span_id": [""] * rows,
        "door": ["syslog"] * rows,
    }  # fmt: skip
    schema = SCHEMAS[Stream.LOGS]
    return pa.RecordBatch.from_arrays([pa.array(same[n]) for n in schema.names], schema=schema)


def measured(rows: int, work: Callable[[], object]) -> dict[str, float]:
    """Rows a second and a CPU second of some work."""
    wall, busy = time.perf_counter(), cpu()
    work()
    return {"rows_per_s": rows / (time.perf_counter() - wall), "rows_per_cpu_s": rows / (cpu() - busy)}


def store_samples(store: Store, rows: int) -> dict[str, float]:
    """Insert samples, in batches that were made before."""
    out: list[dict[str, float]] = []
    done = 0
    while done < rows:  # in portions, so that the tables need no gigabytes
        portion = min(rows - done, 4 * BATCH)
        tables = [sample_table(done + i, min(BATCH, portion - i), rows) for i in range(0, portion, BATCH)]
        out.append(measured(portion, lambda tables=tables: [store.insert("samples", t) for t in tables]))  # type: ignore[misc]
        done += portion
    return {key: statistics.median(o[key] for o in out) for key in out[0]}


def store_sqlite(folder: Path, rows: int) -> dict[str, float]:
    """The floor: the same samples into SQLite, a synced transaction a batch."""
    db = sqlite3.connect(folder / "peer.db", isolation_level=None)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    db.execute(
        "CREATE TABLE samples (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) WITHOUT ROWID"
    )
    tables = [[c.tolist() for c in sample_columns(i, BATCH, rows)] for i in range(0, rows, BATCH)]

    def work() -> None:
        for columns in tables:
            db.execute("BEGIN")
            db.executemany("INSERT INTO samples VALUES (?, ?, ?)", zip(*columns, strict=True))
            db.execute("COMMIT")

    out = measured(len(tables) * BATCH, work)
    db.close()
    return out


def carry(store: Store, folder: Path, stream: Stream, batches: list[pa.RecordBatch]) -> dict[str, float]:
    """Journal entries to stored rows, by the consumer; appending is not counted."""
    journal = SqliteJournal(folder / f"{stream.value}.db", max_bytes=8 * 1024**3)
    for batch in batches:
        journal.append([(stream, batch)])
    consumer = TelemetryConsumer(journal, store, linger=0.0)
    stop = threading.Event()

    def work() -> None:
        thread = threading.Thread(target=consumer.run, args=(stop,))
        thread.start()
        while journal.committed("telemetry") < journal.end():
            time.sleep(0.01)
        stop.set()
        thread.join()

    out = measured(sum(b.num_rows for b in batches), work)
    journal.close()
    return out


def ask(store: Store, rows: int) -> dict[str, tuple[float, float]]:
    """Median and worst of ten askings, in milliseconds."""
    hour, day = Window(NOW - 3_600_000, NOW), Window(NOW - 86_400_000, NOW)
    whole = Window(NOW - rows // SERIES * STEP_MS, NOW)
    span = {"from_ms": NOW - LINES * 3, "to_ms": NOW}
    ids = list(range(1, 51))
    questions: dict[str, Callable[[], object]] = {
        "series by label, with last values": lambda: series.search(
            store, series.Wanted(prefix="m", matchers=(series.Matcher("host", "web-1.*", "=~"),)), now_ms=NOW),
        "last values of 50 series": lambda: points.latest(store, ids, now_ms=NOW),
        "1 series, 1 h": lambda: points.points(store, [7], hour),
        "12 series, 1 day": lambda: points.points(store, ids[:12], day),
        "50 series, all of the time": lambda: points.points(store, ids, whole),
        "12 counters as rates, 1 day": lambda: points.points(store, ids[:12], day, rate=True),
        "names of metrics": lambda: metrics.names(store, "m"),
        "newest 100 log lines": lambda: logs.search(store, **span),
        "newest 100 with a common word": lambda: logs.search(store, "timeout", **span),
        "an id among a million lines": lambda: logs.search(store, '"deadbeefcafe0001"', **span),
        "part of a word that nothing has": lambda: logs.search(store, "zzzz", **span),
        "histogram of a million lines": lambda: logs.histogram(store, **span),
        "service edges": lambda: traces.service_edges(store, hour),
    }  # fmt: skip
    out = {}
    for name, question in questions.items():
        question()
        took = []
        for _ in range(10):
            began = time.perf_counter()
            question()
            took.append(1000 * (time.perf_counter() - began))
        out[name] = (statistics.median(took), max(took))
    return out


def quiet(seconds: float = 15.0) -> dict[str, float]:
    """What the process costs while nothing happens."""
    time.sleep(5.0)
    busy, wall = cpu(), time.perf_counter()
    time.sleep(seconds)
    share = (cpu() - busy) / (time.perf_counter() - wall)
    return {"resident_mb": PROCESS.memory_info().rss / 1e6, "cpu_percent": 100 * share}


def announce(store: Store) -> None:
    """The series that the samples are of."""
    at = pa.array([NOW] * SERIES, pa.int64()).view(pa.timestamp("ms"))
    store.insert("series", pa.table({
        "id": pa.array(range(1, SERIES + 1), pa.uint64()), "name": [f"m{i % 20}" for i in range(SERIES)],
        "labels_json": [f'{{"host":"web-{i}","job":"node"}}' for i in range(SERIES)], "kind": ["gauge"] * SERIES,
        "unit": [""] * SERIES, "door": ["bench"] * SERIES, "first_seen": at, "last_seen": at,
    }))  # fmt: skip


def run(sizes: list[int], folder: Path) -> dict[str, Any]:
    """Everything, in one endpoint; each number of samples in a database of its own."""
    began = time.perf_counter()
    endpoint = Endpoint(folder / "data", "secret")
    endpoint.start()
    found: dict[str, Any] = {"start_s": time.perf_counter() - began, "quiet_empty": quiet(5.0)}
    found["store"] = {"SQLite": store_sqlite(folder, 2 * BATCH)}
    found["carry"], found["questions"] = {}, {}
    for rows in sizes:
        store = Store(f"{endpoint.dsn.rpartition('/')[0]}/bench_{rows}")
        store.migrate()
        announce(store)
        found["store"][f"{rows:,} samples"] = store_samples(store, rows)
        if rows == sizes[0]:
            table = [sample_columns(i, ENTRY, 40 * ENTRY) for i in range(0, 40 * ENTRY, ENTRY)]
            schema = SCHEMAS[Stream.SAMPLES]
            batches = [
                pa.RecordBatch.from_arrays([pa.array(c) for c in columns], schema=schema) for columns in table
            ]
            spare = Store(f"{endpoint.dsn.rpartition('/')[0]}/bench_carry")
            spare.migrate()
            found["carry"]["samples"] = carry(spare, folder, Stream.SAMPLES, batches)
            spare.close()
        if rows == sizes[-1]:
            lines = [log_batch(i, 50_000) for i in range(0, LINES, 50_000)]
            found["carry"]["log lines"] = carry(store, folder, Stream.LOGS, lines)
            del lines
        found["questions"][f"{rows:,} samples"] = ask(store, rows)
        bytes_a_row = store.rows(
            "SELECT table, sum(bytes_on_disk) / sum(rows) AS n FROM system.parts WHERE active AND rows > 1000 "
            "AND database = {db:String} GROUP BY table", {"db": store.database})  # fmt: skip
        found["bytes_a_row"] = {r["table"]: r["n"] for r in bytes_a_row}
        store.close()
    found["quiet_full"] = quiet()
    endpoint.stop()
    return found


def show(found: dict[str, Any]) -> None:
    """The tables that a person reads."""
    print(f"start {found['start_s']:.1f} s")
    for state in ("quiet_empty", "quiet_full"):
        print(
            f"{state}: {found[state]['resident_mb']:.0f} MB resident, {found[state]['cpu_percent']:.1f} % of a core"
        )
    for part in ("store", "carry"):
        for name, f in found[part].items():
            print(
                f"{part} {name:22s} {f['rows_per_s'] / 1e3:9.0f}k rows/s {f['rows_per_cpu_s'] / 1e3:9.0f}k a CPU second"
            )
    print("on disk:", ", ".join(f"{t} {n:.1f} bytes a row" for t, n in found["bytes_a_row"].items()))
    for rows, answers in found["questions"].items():
        print(f"{rows:38s} median     worst of 10, ms")
        for name, (median, worst) in answers.items():
            print(f"  {name:36s} {median:6.1f} {worst:9.1f}")


def main() -> int:
    """Exit status 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="telemetry-"))
    try:
        found = run(arguments.rows, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found)) if arguments.json else show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
