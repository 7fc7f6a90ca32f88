"""Answers what analysis asks about situations: reads the series from telemetry, beside the live path, and gives what they
say back through the journal. Bounded: one question at a time, and what finds no room is left unasked and counted."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable, Iterator

import msgspec

from watchkeeper.analysis.causes.question import MOST_SERIES, STEP_MS, Asked, Question
from watchkeeper.journal.acts import JournalActs
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import points
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.store import Store

BY = "analysis"
WAITING = 50  # questions
LOOK = 0.5  # seconds
_log = logging.getLogger(__name__)


class Measuring:
    """Inert until `run`; `put` may be called from any thread and never waits."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store, self._acts = store, JournalActs(journal)
        self._questions: queue.Queue[Question] = queue.Queue(WAITING)
        self.statistics = {"answered": 0, "without_cause": 0, "left_out": 0, "failed": 0}

    def put(self, questions: Iterable[Question]) -> None:
        """Take questions."""
        for question in questions:
            try:
                self._questions.put_nowait(question)
            except queue.Full:
                self.statistics["left_out"] += 1

    def run(self, stop: threading.Event) -> None:
        """Answer until `stop` is set."""
        while not stop.is_set():
            try:
                question = self._questions.get(timeout=LOOK)
            except queue.Empty:
                continue
            try:
                self._answer(question)
            except WatchkeeperError as error:
                self.statistics["failed"] += 1
                _log.info("metrics around situation %s could not be read: %s", question.situation, error)

    def _answer(self, question: Question) -> None:
        gauges = [s for s in question.series if not s.counter]
        counters = [s for s in question.series if s.counter]
        read = dict(self._points(question, gauges, rate=False))
        read |= dict(self._points(question, counters, rate=True))
        causes = question.answered(read)
        self.statistics["answered" if causes else "without_cause"] += 1
        act = Act(
            id=f"measured-{question.situation}-{question.asked_ms}", kind=ActKind.MEASURED,
            target=question.situation, actor=BY, time_ms=question.asked_ms,
            data={"causes": msgspec.to_builtins(causes), "series": len(read)},
        )  # fmt: skip
        self._acts.submit(act)

    def _points(
        self, question: Question, series: list[Asked], *, rate: bool
    ) -> Iterator[tuple[int, list[tuple[int, float]]]]:
        if not series:
            return
        begin, end = question.window
        window = Window(begin, end)
        ids = [s.id for s in series[:MOST_SERIES]]
        found = points.points(self._store, ids, window, buckets=(end - begin) // STEP_MS + 1, rate=rate)
        for p in found.values():
            yield p.series, list(zip(p.times_ms, p.mean, strict=True))
