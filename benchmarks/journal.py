"""How fast the journal takes rows that are on disk when they are answered: group commit beside a control.

    python benchmarks/journal.py [--seconds 3] [--runs 3] [--json] [--journal nats://127.0.0.1:4222/bench]

The control makes each submission a commit of its own. Everything runs in one process, clients included: rows
per CPU-second count their cost too. Each case runs on a new journal; the median run by rows per second is
shown, and its rows per CPU-second beside those of the control above it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import uvloop
from rich.console import Console
from rich.table import Table

from watchkeeper.journal import CONSUMERS, open_journal
from watchkeeper.journal.group import GroupCommit
from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import SCHEMAS, Stream

Batch = tuple[Stream, pa.RecordBatch]
CONTROL = "one a commit"
TRIM_EVERY = 0.5  # seconds


@dataclass
class Result:
    """One case. Times in milliseconds, from handing rows over to their being on disk."""

    case: str
    rows_per_second: float
    rows_per_cpu_second: float
    p50_ms: float
    p99_ms: float
    rows_per_commit: float


def samples(rows: int) -> Batch:
    """Samples of 10,000 series, as a scrape of many hosts gives them."""
    random = np.random.default_rng(1)
    columns = [
        pa.array(np.resize(random.integers(0, 2**63, 10_000).astype(np.uint64), rows)),
        pa.array(1_700_000_000_000 + np.arange(rows) // 10_000 * 15_000),
        pa.array(np.round(random.normal(50, 10, rows), 2)),
    ]
    return Stream.SAMPLES, pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES])


def events(rows: int) -> Batch:
    """Alerts as Prometheus sends them."""
    row = {
        "id": "", "kind": "alert", "status": "firing", "name": "HighErrorRate", "severity": "critical",
        "summary": "5xx over 5 % for ten minutes", "starts_ms": 1_700_000_000_000, "ends_ms": 0,
        "received_ms": 1_700_000_000_000, "annotations": '{"runbook":"https://example.org/5xx"}',
        "url": "http://prometheus:9090/graph", "door": "alertmanager",
    }  # fmt: skip
    named = [
        {**row, "labels": f'{{"alertname":"HighErrorRate","instance":"web-{i}:9100"}}'} for i in range(rows)
    ]
    return Stream.EVENTS, pa.RecordBatch.from_pylist(named, schema=SCHEMAS[Stream.EVENTS])


class Clock:
    """Runs a case for some seconds and keeps what each submission took."""

    def __init__(self, seconds: float) -> None:
        self.took: list[float] = []
        self._begun, self._cpu = time.perf_counter(), time.process_time()
        self.until = self._begun + seconds

    def result(self, case: str, rows: int, commits: int) -> Result:
        """What came of it, `rows` a submission."""
        seconds, cpu = time.perf_counter() - self._begun, time.process_time() - self._cpu
        total = rows * len(self.took)
        p50, p99 = np.percentile(self.took, (50, 99)) * 1000
        return Result(case, total / seconds, total / cpu, float(p50), float(p99), total / commits)


class Trimmer:
    """Lets the consumers pass now and then, so that the file stays as small as in service."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._next = journal, 0.0

    def __call__(self, offset: int) -> None:
        if time.perf_counter() > self._next:
            for consumer in CONSUMERS:
                self._journal.commit(consumer, offset)
            self._next = time.perf_counter() + TRIM_EVERY


def one_by_one(journal: Journal, batch: Batch, seconds: float, case: str) -> Result:
    """The control: each submission is a commit of its own."""
    clock, trim = Clock(seconds), Trimmer(journal)
    while (begun := time.perf_counter()) < clock.until:
        offset = journal.append([batch])
        clock.took.append(time.perf_counter() - begun)
        trim(offset)
    return clock.result(case, batch[1].num_rows, len(clock.took))


def through_group(journal: Journal, batch: Batch, clients: int, seconds: float, case: str) -> Result:
    """Clients of one event loop, each waiting for its answer before it submits again."""
    group, clock, trim = GroupCommit(journal), Clock(seconds), Trimmer(journal)

    async def client() -> None:
        while (begun := time.perf_counter()) < clock.until:
            offset = await group.submit([batch])
            clock.took.append(time.perf_counter() - begun)
            trim(offset)

    async def all_clients() -> None:
        waiting: list[Awaitable[None]] = [client() for _ in range(clients)]
        await asyncio.gather(*waiting)

    uvloop.run(all_clients())
    result = clock.result(case, batch[1].num_rows, group.counts.groups)
    group.close()
    return result


def through_and_out(journal: Journal, batch: Batch, seconds: float, case: str) -> Result:
    """Append, read back, decode and trim: the whole way of a row through the journal."""
    clock = Clock(seconds)
    offset = 0
    while (begun := time.perf_counter()) < clock.until:
        journal.append([batch])
        clock.took.append(time.perf_counter() - begun)
        for consumer in CONSUMERS:
            entries = journal.read(offset)
            journal.commit(consumer, entries[-1].offset)
        offset = entries[-1].offset
    return clock.result(case, batch[1].num_rows, len(clock.took))


@contextmanager
def new_journal(url: str) -> Iterator[Journal]:
    """An empty one: a file in a folder of its own, or what the stream has left to pass."""
    with tempfile.TemporaryDirectory() as folder:
        journal = open_journal(url, Path(folder))
        for consumer in CONSUMERS:
            journal.commit(consumer, journal.end())
        yield journal
        for consumer in CONSUMERS:
            journal.commit(consumer, journal.end())
        journal.close()


def cases(seconds: float) -> list[Callable[[Journal], Result]]:
    """Every case, each control before what is compared with it."""
    one, hundred, scrape = events(1), events(100), samples(2000)
    return [
        lambda j: one_by_one(j, one, seconds, f"{CONTROL}: 1 event"),
        lambda j: through_group(j, one, 1, seconds, "group: 1 event, 1 client"),
        lambda j: through_group(j, one, 64, seconds, "group: 1 event, 64 clients"),
        lambda j: through_group(j, one, 512, seconds, "group: 1 event, 512 clients"),
        lambda j: one_by_one(j, hundred, seconds, f"{CONTROL}: 100 events"),
        lambda j: through_group(j, hundred, 16, seconds, "group: 100 events, 16 clients"),
        lambda j: one_by_one(j, scrape, seconds, f"{CONTROL}: 2,000 samples"),
        lambda j: through_group(j, scrape, 16, seconds, "group: 2,000 samples, 16 clients"),
        lambda j: one_by_one(j, samples(65_536), seconds, f"{CONTROL}: 65,536 samples"),
        lambda j: through_and_out(j, samples(65_536), seconds, "65,536 samples in, twice out, trimmed"),
    ]


def measure(url: str, seconds: float, runs: int) -> list[Result]:
    """The median run of each case."""
    results = []
    for case in cases(seconds):
        tried = []
        for _ in range(runs):
            with new_journal(url) as journal:
                tried.append(case(journal))
        results.append(sorted(tried, key=lambda r: r.rows_per_second)[runs // 2])
    return results


def show(results: list[Result]) -> None:
    """As a table, with the ratio to the control."""
    table = Table("case", *("rows/s", "rows/CPU-s", "× control", "p50 ms", "p99 ms", "rows/commit"))
    control = results[0]
    for r in results:
        control = r if r.case.startswith(CONTROL) else control
        ratio = r.rows_per_cpu_second / control.rows_per_cpu_second
        numbers = f"{r.rows_per_second:,.0f}", f"{r.rows_per_cpu_second:,.0f}", f"{ratio:,.1f}"
        table.add_row(r.case, *numbers, f"{r.p50_ms:.2f}", f"{r.p99_ms:.2f}", f"{r.rows_per_commit:,.0f}")
    Console(width=110).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="for each run of each case")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--journal", default="", metavar="URL", help="JetStream; the SQLite file if left out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = measure(options.journal, options.seconds, options.runs)
    if options.json:
        json.dump([asdict(r) for r in results], sys.stdout, indent=1)
    else:
        show(results)


if __name__ == "__main__":
    main()
