"""Carries journal entries into the store: in large groups, once each, and without ever stopping for one of
them. It decides how much goes together and what to do when the store fails; rows.py makes the rows."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from watchkeeper.model.doors import Entry, Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry import retention
from watchkeeper.telemetry.kept import DAY_MS
from watchkeeper.telemetry.ledger import TABLES, Ledger
from watchkeeper.telemetry.rollups import Rollups
from watchkeeper.telemetry.rows import Builder, Templater
from watchkeeper.telemetry.store import Store, TelemetryRefused
from watchkeeper.telemetry.upkeep import refresh_series

CONSUMER = "telemetry"
MAX_ROWS, STEP_ROWS, MAX_BYTES = 262_144, 16_384, 32 * 1024 * 1024  # of one group
LINGER = 0.8  # seconds in which rows gather: every group is a part on disk for each table, to be merged later
WAIT = 0.5
MAX_PAUSE = 15.0  # seconds between attempts while the store is away
REFRESH_FIRST, REFRESH_EVERY = 600.0, 6 * 3600.0
ROLL_FIRST, ROLL_EVERY = 120.0, 3600.0
# What a batch can do to code that takes it for one of its stream.
_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_log = logging.getLogger(__name__)


class TelemetryConsumer:
    """The consumer "telemetry" of a journal. Inert until `run`; `statistics` can be read from any thread."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        templater: Templater | None = None,
        clock: Callable[[], float] = time.time,
        linger: float = LINGER,
        roll_every: float = ROLL_EVERY,
    ) -> None:
        self.journal, self.store, self.clock, self.linger = journal, store, clock, linger
        self.roll_every = roll_every
        self.statistics: dict[str, Any] = {
            "offset": 0, "lag": 0, "groups": 0, "retries": 0, "put_aside": 0, "busy_seconds": 0.0,
            "rows": dict.fromkeys((*TABLES, "series", "templates"), 0),
        }  # fmt: skip
        self._ledger = Ledger(store)
        self._builder = Builder(self._ledger, templater, self._oldest_ms)
        self._oldest: dict[str, int] = {}
        self._behind = False
        self._refresh_at = time.monotonic() + REFRESH_FIRST
        self._rollups = Rollups(store)
        self._roll_at = time.monotonic() + min(ROLL_FIRST, roll_every)

    def run(self, stop: threading.Event) -> None:
        """Carry entries until `stop` is set. While the store is away it tries again, ever less often."""
        offset: int | None = None
        pause = 0.1
        while not stop.is_set():
            try:
                if offset is None:
                    offset = self._begin()
                offset = self._carry(offset, stop)
                pause = 0.1
            except WatchkeeperError as error:  # of the store, or a journal without room for its own note
                _log.warning("telemetry cannot be stored, trying again in %.1f s: %s", pause, error)
                self.statistics["retries"] += 1
                with contextlib.suppress(WatchkeeperError):  # it may be the journal that does not answer
                    self.statistics["lag"] = self.journal.end() - self.statistics["offset"]
                offset = None
                stop.wait(pause)
                pause = min(pause * 2, MAX_PAUSE)

    def _begin(self) -> int:
        """Where to go on: after the last group that is stored whole, completing it if it is not."""
        self._oldest = retention.oldest(self.store)
        self._ledger.open(self.journal.end())
        offset = self.statistics["offset"] = self.journal.committed(CONSUMER)
        marks = self._ledger.marked(offset)
        if not marks:
            return offset
        # A group is begun only when the one before is whole, so the last alone may lack rows.
        before = marks[-2] if len(marks) > 1 else offset
        if entries := self._between(before, marks[-1]):
            self._store(entries, first_time=False)
        return marks[-1]

    def _carry(self, offset: int, stop: threading.Event) -> int:
        """One group, if there is any within WAIT; the offset that was passed."""
        self._keep_up(offset)
        if not self.journal.wait(offset, WAIT) or (not self._behind and stop.wait(self.linger)):
            return offset
        entries = self._gather(offset)
        self._store(entries, first_time=True)
        self.statistics["lag"] = self.journal.end() - entries[-1].offset
        return entries[-1].offset

    def _gather(self, after: int) -> list[Entry]:
        entries: list[Entry] = []
        rows = size = 0
        while rows < MAX_ROWS and size < MAX_BYTES:
            more = self.journal.read(after, max_rows=STEP_ROWS)
            if not more:
                break
            entries += more
            rows += sum(e.batch.num_rows for e in more)
            size += sum(e.batch.nbytes for e in more)
            after = more[-1].offset
        self._behind = rows >= MAX_ROWS or size >= MAX_BYTES
        return entries

    def _between(self, after: int, last: int) -> list[Entry]:
        entries: list[Entry] = []
        while not entries or entries[-1].offset < last:
            more = self.journal.read(entries[-1].offset if entries else after, max_rows=STEP_ROWS)
            if not more:
                break
            entries += [e for e in more if e.offset <= last]
            if more[-1].offset > last:
                break
        return entries

    def _store(self, entries: Sequence[Entry], *, first_time: bool) -> None:
        """Store a group and say so to the journal. What does not fit is found entry by entry and put
        aside."""
        began = time.monotonic()
        try:
            self._insert(entries, first_time)
        except (TelemetryRefused, *_UNFIT) as error:
            for table in TABLES:
                if self._ledger.count(table, entries[-1].offset):
                    self._ledger.forget(table, entries[-1].offset)
            if len(entries) > 1:
                _log.warning("offsets %d to %d are stored one by one", entries[0].offset, entries[-1].offset)
                for entry in entries:
                    self._store([entry], first_time=True)
                return
            self._put_aside(entries[0], error)
        self.journal.commit(CONSUMER, entries[-1].offset)
        self.statistics["offset"] = entries[-1].offset
        self.statistics["groups"] += 1
        self.statistics["busy_seconds"] += time.monotonic() - began

    def _insert(self, entries: Sequence[Entry], first_time: bool) -> None:
        rows = self._builder.build(entries, self._now_ms())
        last = entries[-1].offset
        for table, mine in rows.settled.items():
            self.store.insert(table, mine)
            self.statistics["rows"][table] += mine.num_rows
        for table, mine in rows.marked.items():
            there = 0 if first_time else self._ledger.count(table, last)
            if there == mine.num_rows:
                continue
            if there:
                self._ledger.forget(table, last)
            self.store.insert(table, mine)
            self.statistics["rows"][table] += mine.num_rows

    def _put_aside(self, entry: Entry, error: Exception) -> None:
        _log.error("journal entry %d cannot be stored and is put aside: %r", entry.offset, error)
        letter = self._builder.put_aside(entry, repr(error), self._now_ms())
        self.store.insert("dead_letters", letter.marked["dead_letters"])
        self.statistics["rows"]["dead_letters"] += 1
        self.statistics["put_aside"] += 1

    def _keep_up(self, offset: int) -> None:
        """What is due now and then; every group up to `offset` is whole."""
        now = time.monotonic()
        if now >= self._refresh_at:
            self._refresh_at = now + REFRESH_EVERY
            refresh_series(self.store, self._now_ms() - DAY_MS)
        if now >= self._roll_at:
            self._roll_at = now + self.roll_every
            self._oldest = retention.oldest(self.store)
            self._rollups.look(self._ledger.mark(offset))
        self._rollups.step()

    def _oldest_ms(self, table: str) -> int:
        return self._oldest.get(table, 0)

    def _now_ms(self) -> int:
        return int(self.clock() * 1000)
