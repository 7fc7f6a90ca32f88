"""kill -9 of the process that stores, again and again, while entries arrive: each row is stored once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import PATIENCE, eventually
from tests.telemetry.signals import event, letter, log, many_samples, now_ms, of, span
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry import migrations
from watchkeeper.telemetry.store import Store

ROUNDS = int(os.environ.get("WATCHKEEPER_TEST_KILLS", "3"))
SIZE = 4_000


@contextmanager
def storing(
    folder: Path, journal: Path, roll_every: float = 3600
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its DSN."""
    command = [
        sys.executable,
        "-m",
        "tests.telemetry.child",
        str(folder),
        str(journal),
        "secret",
        str(roll_every),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield process, process.stdout.readline().strip()
        process.stdin.close()
        process.wait(timeout=60)


class Producer:
    """Appends groups of all streams; every row has a number that no other has."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal, self.groups = journal, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            if self.journal.end() - self.journal.committed("telemetry") > 200:
                continue
            n, at = self.groups, now_ms()
            yesterday = many_samples(2 * n * SIZE, SIZE, at - 86_400_000)  # another partition
            self.journal.append([
                yesterday,
                many_samples((2 * n + 1) * SIZE, SIZE, at),
                of(Stream.LOGS, *(log(at, f"line {n}-{i}") for i in range(50))),
                of(Stream.SPANS, span(at, f"span-{n}", "", "web")),
                of(Stream.EVENTS, event(at, f"event-{n}")),
                of(Stream.DEAD_LETTERS, letter(at, payload=b"%d" % n)),
            ])  # fmt: skip
            self.groups += 1


def test_kill_9_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("WATCHKEEPER_TEST_SEED", "3")))
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path, max_bytes=8 * 1024**3)
    producer = Producer(journal)
    for number in range(ROUNDS):
        with storing(tmp_path / "data", path) as (process, _dsn):
            before = journal.committed("telemetry")
            if number % 3:  # else while it begins
                eventually(lambda: journal.committed("telemetry") > before, timeout=60, every=0.01)  # noqa: B023
            time.sleep(chance.uniform(0.0, 0.5))
            process.send_signal(signal.SIGKILL)
    producer.stop()
    n = producer.groups
    with storing(tmp_path / "data", path) as (process, dsn):
        eventually(lambda: journal.committed("telemetry") >= journal.end(), timeout=90, every=0.2)
        store = Store(dsn)
        for table, column, rows in (
            ("samples", "series", 2 * SIZE * n), ("logs", "body", 50 * n), ("spans", "span_id", n), ("events", "id", n),
            ("dead_letters", "payload", n),
        ):  # fmt: skip
            found = store.rows(
                f"SELECT count() AS n, uniqExact({column}) AS u FROM {table}", limit_seconds=60
            )
            assert found == [{"n": rows, "u": rows}], table
        store.close()
    assert process.returncode == 0
    journal.close()


def test_kill_9_in_the_middle_of_new_tables_loses_nothing(tmp_path: Path) -> None:
    """From the tables of the version before: killed after the first statement of the newest migration, and after its last,
    before it is noted."""
    *before, newest = migrations.known()
    begin = 2  # the database, and the table of migrations
    old = begin + sum(len(m.statements) + 1 for m in before)
    for statements in (old, begin + 1, begin + len(newest.statements), 0):
        command = [sys.executable, "-m", "tests.telemetry.migrating_child", str(tmp_path), str(statements)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120 * PATIENCE)
        assert done.returncode == (-signal.SIGKILL if statements else 0), done.stderr
    assert done.stdout == "3 3"
