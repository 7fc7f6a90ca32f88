"""Service level objectives: how long it takes to evaluate all of them when a slot has ended, and the first time.

    python -m benchmarks.service_levels [--objectives 500] [--days 3] [--postgres]

Each objective has a counter of good and one of all events of its own, a sample a minute, and a window of so many days. The
first evaluation measures all of the window; then slot after slot of five minutes ends, as in the web process. What is
foreseen is left out: it is asked once an hour, in a process of its own (benchmarks.forecast). There is no peer.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.whole.records import arguments, database

MINUTE = 60_000
ROUNDS = 5


def main() -> None:
    """Print the figures."""
    parser = arguments(__doc__)
    parser.add_argument("--objectives", type=int, default=500)
    parser.add_argument("--days", type=int, default=3)
    given = parser.parse_args()
    with database(given.postgres) as folder:
        _measure(folder, given.objectives, given.days)


def _measure(folder: Path, number: int, days: int) -> None:
    from watchkeeper.domains.objectives.evaluating import Evaluation
    from watchkeeper.domains.objectives.models import ServiceLevelObjective, Standing
    from watchkeeper.journal.sqlite import SqliteJournal
    from watchkeeper.telemetry.endpoint import Endpoint
    from watchkeeper.telemetry.store import Store

    now = dt.datetime.now(dt.UTC).replace(minute=1, second=0, microsecond=0)
    server = Endpoint(folder / "telemetry", "secret")
    server.start()
    store, journal = Store(server.dsn), SqliteJournal(folder / "journal.db")
    store.migrate()
    until = int((now + dt.timedelta(minutes=5 * ROUNDS)).timestamp() * 1000)
    _fill(journal, store, number, until - days * 1440 * MINUTE, until)
    ServiceLevelObjective.objects.bulk_create(
        ServiceLevelObjective(
            name=f"objective-{n}", window_count=days, query=f'sum(increase(bench_total{{n="{n}",code="200"}}[5m]))',
            total_query=f'sum(increase(bench_total{{n="{n}"}}[5m]))',
        )
        for n in range(number)
    )  # fmt: skip
    evaluation, stop = Evaluation(store, journal, _nobody), threading.Event()
    first, *later = (_timed(evaluation, now + dt.timedelta(minutes=5 * n), stop) for n in range(ROUNDS))
    known = Standing.objects.exclude(attained=None).count()
    print(
        f"{number} objectives of {days} days, {known} known; wall seconds (CPU of this process, store included)"
    )
    print(f"first evaluation      {first[0]:8.1f} ({first[1]:.1f})")
    walls, cpus = zip(*later, strict=True)
    print(f"after a slot, median  {statistics.median(walls):8.1f} ({statistics.median(cpus):.1f})")
    store.close()
    journal.close()
    server.stop()


def _timed(evaluation: Any, now: dt.datetime, stop: threading.Event) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    evaluation.once(now, stop)
    return time.perf_counter() - began, time.process_time() - cpu


def _fill(journal: Any, store: Any, number: int, since: int, until: int) -> None:
    import numpy as np
    import pyarrow as pa
    from tests.telemetry.signals import carry

    from watchkeeper.model.signals import SCHEMAS, Stream, batch

    series = []
    for n in range(2 * number):
        labels = {"__name__": "bench_total", "n": str(n // 2), "code": "200" if n % 2 == 0 else "500"}
        row = {
            "id": n + 1,
            "name": "bench_total",
            "labels": json.dumps(labels),
            "kind": "counter",
            "unit": "",
        }
        series.append({**row, "door": "bench"})
    journal.append([(Stream.SERIES, batch(Stream.SERIES, series))])
    ids = np.arange(1, 2 * number + 1, dtype=np.uint64)
    for begin in range(since, until, 60 * MINUTE):
        times = np.arange(begin, min(until, begin + 60 * MINUTE), MINUTE)
        values = (times[None, :] - since) / MINUTE * np.where(ids % 2 == 1, 100, 1)[:, None]
        columns = [
            pa.array(np.repeat(ids, len(times))),
            pa.array(np.tile(times, len(ids))),
            pa.array(values.ravel()),
        ]
        journal.append(
            [(Stream.SAMPLES, pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES]))]
        )
    carry(journal, store)


class _Nobody:
    """Foresees nothing."""

    def spending(self, *_: object) -> Any:
        """As of one that has been measured for too short a time."""
        from watchkeeper.model.outlook import Outlook

        return Outlook(0.0, 1.0, why="It is left out.")


@contextmanager
def _nobody() -> Iterator[_Nobody]:
    yield _Nobody()


if __name__ == "__main__":
    sys.exit(main())
