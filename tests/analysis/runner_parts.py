"""A runner of real stages over a real journal and real records, and what it is given."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import connection

from watchkeeper.analysis.pipeline import Pipeline, Work
from watchkeeper.analysis.stages.correlate import Correlate
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.app.records import DjangoRecords
from watchkeeper.app.runner import Runner
from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import Stream, batch


class Raises:
    """The last stage: it raises at events whose names are among `at`."""

    name = "raises"

    def __init__(self, at: Sequence[str]) -> None:
        self.at = at

    def process(self, work: Work) -> None:
        """See Stage."""
        for event in work.events:
            if event.name in self.at:
                raise ValueError(event.name)

    def snapshot(self) -> Any:
        """See Stage."""

    def restore(self, *_: Any) -> None:
        """See Stage."""


def alert(name: str) -> tuple[Stream, pa.RecordBatch]:
    """A critical alert of a host of its own."""
    now = int(time.time() * 1000)
    row = {
        "id": name, "kind": "alert", "status": "firing", "name": name, "severity": "critical", "summary": name,
        "starts_ms": now, "ends_ms": 0, "received_ms": now, "labels": json.dumps({"host": f"host-{name}"}),
        "annotations": "{}", "url": "", "door": "test",
    }  # fmt: skip
    return Stream.EVENTS, batch(Stream.EVENTS, [row])


def stages(raising: Sequence[str]) -> Callable[[], Pipeline]:
    """Makes the stages that alerts pass, and one after them that raises at these."""

    def build() -> Pipeline:
        deduplicate = Deduplicate()
        return Pipeline([Normalise(), deduplicate, Correlate(deduplicate.living), Raises(raising)])

    return build


@contextmanager
def running(
    journal: Journal, folder: Path, raising: Sequence[str] = ()
) -> Iterator[tuple[Runner, Future[None]]]:
    """A runner in a thread; the future is done when it ended before it was told to."""
    runner = Runner(journal, stages(raising), DjangoRecords(), folder / "learned")
    stop = threading.Event()

    def run() -> None:
        try:
            runner.run(stop)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield runner, running
        finally:
            stop.set()
    running.result()
