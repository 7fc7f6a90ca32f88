"""Drives the pipeline: reads the journal by offset, runs the stages, and has the domains write what came out
together with the offset, in one transaction. The only place where analysis meets the clock."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from django.db import OperationalError

from watchkeeper.analysis.pipeline import Pipeline, Work
from watchkeeper.app import state
from watchkeeper.model.act import Act
from watchkeeper.model.doors import Entry, Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, Situation

T = TypeVar("T")

CONSUMER = "analysis"
MAX_ROWS = 65_536
TICK = 1.0  # seconds without an entry after which time passes all the same
SAVE_EVERY = 120.0
LETTERS = 100  # dead letters that wait until the journal has room for them
# Making the pipeline anew may take so many seconds at once and then this share of the time: where every read holds an
# entry that fails, the others are worth more than what a failure left behind in the stages.
RENEW_AT_ONCE, RENEW_SHARE = 10.0, 0.25
_log = logging.getLogger(__name__)


class Records(Protocol):
    """What the runner needs of the domains: where analysis stands, and a place to write what it decides."""

    def offset(self) -> int:
        """The journal offset of the last Work that was written; 0 at first."""
        ...

    def load(self, now_ms: int) -> tuple[Topology, Sequence[Alert], Sequence[Situation], Sequence[Act]]:
        """The graph, and the alerts, situations, silences, windows and rules (as the acts that make them) that live."""
        ...

    def write(self, work: Work) -> None:
        """Write discoveries, alerts, situations, acts and `work.last` as the offset, all or none."""
        ...


class Runner:
    """Inert until `run`; `statistics` can be read from any thread."""

    def __init__(
        self,
        journal: Journal,
        build: Callable[[], Pipeline],
        records: Records,
        learned: Path,
        told: Callable[[Work], None] = lambda _: None,
        recall: Callable[[Pipeline, int], None] = lambda *_: None,
        clock: Callable[[], float] = time.time,
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        """`build` makes a pipeline that knows nothing; `learned` is the file that keeps what stages learn; `told` hears
        of every Work that is written; `recall` is called with each new pipeline, before its first Work, and with the
        offset reached, for what else is remembered elsewhere; `kept` after what was learned is on disk."""
        self.kept = kept
        self.journal, self.build, self.records = journal, build, records
        self.learned, self.told, self.recall, self.clock = learned, told, recall, clock
        self.statistics: dict[str, Any] = {
            "offset": 0,
            "entries": 0,
            "rows": 0,
            "works": 0,
            "busy_seconds": 0.0,
            "put_aside": 0,
        }
        self.pipeline: Pipeline
        self._passed = -1  # the offset that the journal knows of
        self._letters: deque[dict[str, Any]] = deque(maxlen=LETTERS)
        self._topology = Topology()
        self._spoiled = False  # a stage raised, and those before it remember what was not written
        self._renewing, self._renewed = 0.0, 0.0  # seconds spent lately, and when that was looked at
        self._saved = 0.0
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Process until `stop` is set; then keep what was learned."""
        self._stop = stop
        offset = self._begin()
        self._saved = time.monotonic()
        while not stop.is_set():
            # At first too: after a kill between the transaction and the journal's own note of it, it is said again.
            self._report(offset)
            if self._patiently(False, self.journal.wait, offset, TICK):
                offset = self._catch_up(offset)
            else:
                self._process(Work(offset, offset, self._now(), self._topology))
            self._renew()
            self._keep(SAVE_EVERY)
        self._report(offset)
        self._keep(0.0)

    def _begin(self) -> int:
        """Make the pipeline of what the records hold and what was learned; the offset that it has reached."""
        offset = self.records.offset()
        self.pipeline = self.build()
        self._topology, alerts, situations, acts = self.records.load(self._now())
        self.pipeline.restore(state.load(self.learned), alerts, situations)
        self._patiently(None, self.recall, self.pipeline, offset)
        again = Work(offset, offset, self._now(), self._topology, acts=list(acts))
        self.pipeline.process(again)
        self._topology = again.topology
        self._spoiled = False
        return offset

    def _renew(self) -> None:
        """Begin anew after a stage raised: the stages before it would take for told what nobody has written."""
        began = time.monotonic()
        self._renewing = max(0.0, self._renewing - (began - self._renewed) * RENEW_SHARE)
        self._renewed = began
        if self._spoiled and self._renewing < RENEW_AT_ONCE:
            self._begin()
            self._renewing += time.monotonic() - began

    def _catch_up(self, offset: int) -> int:
        nothing: list[Entry] = []
        entries = self._patiently(nothing, self.journal.read, offset, max_rows=MAX_ROWS)
        if not entries:
            return offset
        try:
            self._process(self._work(entries))
        except _Failed as failed:
            _log.warning("offsets %d to %d are taken one by one", entries[0].offset, entries[-1].offset)
            del failed
            for entry in entries:
                self._renew()
                self._alone(entry)
        self.statistics["entries"] += len(entries)
        self.statistics["rows"] += sum(e.batch.num_rows for e in entries)
        return entries[-1].offset

    def _alone(self, entry: Entry) -> None:
        """One entry by itself; one that no stage can take is put aside, not allowed to stop the others."""
        try:
            self._process(self._work([entry]))
        except _Failed as failed:
            _log.error("offset %d cannot be analysed and is put aside: %r", entry.offset, failed.__cause__)
            self.statistics["put_aside"] += 1
            self._letters.append({
                "time_ms": self._now(), "door": "analysis", "sender": f"journal offset {entry.offset}",
                "reason": "analysis_failed", "detail": repr(failed.__cause__), "payload": _sample(entry),
            })  # fmt: skip
            self._report(self._passed)
            self._write(Work(entry.offset, entry.offset, self._now(), self._topology))

    def _report(self, offset: int) -> None:
        """Say to the journal how far analysis is, and what was put aside. While it has no room for that, analysis goes
        on, and says it later."""
        try:
            if offset != self._passed:
                self.journal.commit(CONSUMER, offset)
                self._passed = offset
            if self._letters:
                rows = batch(Stream.DEAD_LETTERS, list(self._letters))
                self.journal.append([(Stream.DEAD_LETTERS, rows)])
                self._letters.clear()
        except WatchkeeperError as error:
            _log.warning("the journal cannot be told how far analysis is, trying again: %s", error)

    def _patiently(self, otherwise: T, ask: Callable[..., T], *args: Any, **named: Any) -> T:
        """Ask the journal until it answers; `otherwise` when this is to stop before it does."""
        for attempt in itertools.count():
            try:
                return ask(*args, **named)
            except WatchkeeperError as error:
                if self._stop.wait(_pause(attempt)):
                    break
                _log.warning("the journal does not answer, trying again: %s", error)
        return otherwise

    def _work(self, entries: Sequence[Entry]) -> Work:
        work = Work(entries[0].offset, entries[-1].offset, self._now(), self._topology)
        work.batches = [(e.offset, e.stream, e.batch) for e in entries]
        return work

    def _process(self, work: Work) -> None:
        began = time.monotonic()
        try:
            self.pipeline.process(work)
        except Exception as error:
            _log.exception("a stage failed")
            self._spoiled = True
            raise _Failed from error
        self._topology = work.topology
        if work.batches or work.alerts or work.situations or work.discoveries or work.held:
            self._write(work)
            self.told(work)
        elif work.questions or work.compared:
            self.told(work)
        self.statistics["offset"] = work.last
        self.statistics["works"] += 1
        self.statistics["busy_seconds"] += time.monotonic() - began

    def _write(self, work: Work) -> None:
        """Write until it is written: a full disk or a busy database is waited out, so nothing is decided twice."""
        for attempt in itertools.count():
            try:
                return self.records.write(work)
            except OperationalError as error:
                if self._stop.is_set():
                    raise
                _log.warning("records cannot be written, trying again: %s", error)
                self._stop.wait(_pause(attempt))

    def _now(self) -> int:
        return int(self.clock() * 1000)

    def _keep(self, every: float) -> None:
        if time.monotonic() - self._saved < every:
            return
        self._saved = time.monotonic()
        try:
            size = state.save(self.learned, self.pipeline.snapshot())
            self.kept()
        except OSError as error:
            _log.warning("what was learned could not be kept: %s", error)
        else:
            self.statistics["learned_bytes"] = size


class _Failed(Exception):
    """A stage raised; the cause is what it raised."""


def _pause(attempt: int) -> float:
    """Seconds until the next attempt."""
    return float(min(5.0, 0.05 * 2 ** min(attempt, 8)))


def _sample(entry: Entry) -> bytes:
    return repr(entry.batch.slice(0, 3).to_pylist()).encode()[:8192]
