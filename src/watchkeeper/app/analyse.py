"""The analyse process: the embedded telemetry endpoint, the telemetry consumer, and the pipeline's runner."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config
from watchkeeper.model.signals import Stream, batch

if TYPE_CHECKING:
    import pyarrow as pa

    from watchkeeper.analysis.pipeline import Pipeline, Work
    from watchkeeper.analysis.stages.normalise import Normalise
    from watchkeeper.analysis.templates.templater import Templater
    from watchkeeper.app.measuring import Measuring
    from watchkeeper.model.doors import Journal
    from watchkeeper.telemetry.consumer import TelemetryConsumer
    from watchkeeper.telemetry.findings import FindingLog
    from watchkeeper.telemetry.store import Store

MOST_SERIES = 200_000
_log = logging.getLogger(__name__)


def main() -> None:
    """Build, start, wait, stop; top to bottom."""
    stop = process.start("analyse")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    config = Config.from_env()
    inherited = sockets.inherited()

    from watchkeeper.telemetry.endpoint import Endpoint

    endpoint = None
    if "telemetry" in inherited:
        endpoint = Endpoint(config.data / "telemetry", process.inner_secret(), inherited["telemetry"])
        endpoint.start()

    from watchkeeper.domains.loading import load

    load()
    from watchkeeper.analysis.templates.templater import Templater
    from watchkeeper.app.measuring import Measuring
    from watchkeeper.app.records import DjangoRecords
    from watchkeeper.app.runner import Runner
    from watchkeeper.app.template_notes import TemplateNotes
    from watchkeeper.journal import open_journal
    from watchkeeper.telemetry.consumer import TelemetryConsumer
    from watchkeeper.telemetry.findings import FindingLog
    from watchkeeper.telemetry.store import Store

    process.await_records()
    journal = open_journal(config.journal_url, config.data)
    store = Store(process.telemetry_dsn(config.telemetry_url))
    templater = Templater(TemplateNotes(config.data / "templates.notes"))
    known = threading.Event()  # templates are as they were: nobody may mine before
    history, measuring = FindingLog(store), Measuring(store, journal)
    runner = Runner(
        journal, lambda: pipeline_of(templater), DjangoRecords(), config.data / "learned.bin",
        told=lambda work: _tell(work, history, measuring),
        recall=lambda pipeline, offset: _recall(journal, store, offset, pipeline, templater, known),
        kept=templater.kept,
    )  # fmt: skip
    consumer = TelemetryConsumer(journal, store, templater=templater)

    threads = [
        process.guard(lambda: runner.run(stop), "analysis", stop),
        process.guard(lambda: _store_telemetry(store, consumer, known, stop), "telemetry", stop),
        process.guard(lambda: history.run(stop), "findings", stop),
        process.guard(lambda: measuring.run(stop), "measuring", stop),
    ]
    marks = process.marks()
    while not stop.wait(1.0):
        marks.note("analyse")
    deadline = time.monotonic() + 10
    for thread in threads:
        thread.join(max(0.1, deadline - time.monotonic()))
    journal.close()
    store.close()
    if endpoint is not None:
        endpoint.stop()


def _tell(work: Work, history: FindingLog, measuring: Measuring) -> None:
    """What a Work came to, once it is written, for those that go on with it in the background."""
    history.put(work.now_ms, work.findings, work.alerts.values(), work.situations.values())
    for c in work.compared:
        history.put_compared(
            work.now_ms, c.part, c.versions, c.subject, c.name, c.agreement, (c.deciding, c.shade)
        )
    measuring.put(work.questions)


def pipeline_of(templater: Templater) -> Pipeline:
    """The stages in their order, sharing the alerts and situations that live."""
    from watchkeeper.analysis.pipeline import Pipeline
    from watchkeeper.analysis.stages.correlate import Correlate
    from watchkeeper.analysis.stages.deduplicate import Deduplicate
    from watchkeeper.analysis.stages.detect import Detect
    from watchkeeper.analysis.stages.determine_cause import DetermineCause
    from watchkeeper.analysis.stages.normalise import Normalise
    from watchkeeper.domains.automation.conditions import evaluator

    deduplicate = Deduplicate()
    correlate = Correlate(deduplicate.living, conditions=evaluator)
    determine_cause = DetermineCause(deduplicate.living, correlate.situations)
    return Pipeline([Normalise(), Detect(templater), deduplicate, correlate, determine_cause])


def _recall(journal: Journal, store: Store, offset: int, pipeline: Pipeline, templater: Templater,
            known: threading.Event) -> None:  # fmt: skip
    """What was learned after the last snapshot and is remembered elsewhere."""
    from watchkeeper.analysis.stages.normalise import Normalise

    templater.recall()
    known.set()
    normalise = next(stage for stage in pipeline.stages if isinstance(stage, Normalise))
    _recall_series(journal, store, offset, normalise)


def _recall_series(journal: Journal, store: Store, offset: int, normalise: Normalise) -> None:
    """Series that were declared after the last snapshot and before a kill: telemetry knows them, and the journal those
    up to `offset` that telemetry has not stored yet."""
    stored = journal.committed("telemetry")
    for known in _series_of(store):
        normalise.declare(known)
    while stored < offset and (entries := journal.read(stored)):
        for entry in entries:
            if entry.stream is Stream.SERIES and entry.offset <= offset:
                normalise.declare(entry.batch)
        stored = entries[-1].offset


def _series_of(store: Store) -> list[pa.RecordBatch]:
    """As one batch; none while telemetry does not answer."""
    from watchkeeper.model.series import labels_json
    from watchkeeper.telemetry.queries import series
    from watchkeeper.telemetry.store import TelemetryError

    try:
        found = series.described(store, series.Wanted(), limit=MOST_SERIES)
    except TelemetryError as error:
        _log.info("known series are learned as they come (%s)", error.reason)
        return []
    rows: list[dict[str, object]] = [
        {"id": s.id, "name": s.name, "labels": labels_json(s.labels), "kind": s.kind, "unit": s.unit, "door": s.door}
        for s in found
    ]  # fmt: skip
    return [batch(Stream.SERIES, rows)] if rows else []


def _store_telemetry(
    store: Store, consumer: TelemetryConsumer, known: threading.Event, stop: threading.Event
) -> None:
    """Bring the tables up to date, then, once templates are known, carry signals into them."""
    from watchkeeper.telemetry.store import TelemetryError

    while not stop.is_set():
        try:
            store.migrate()
            break
        except TelemetryError as error:
            _log.warning("telemetry is not ready: %s", error)
            stop.wait(1.0)
    while not known.wait(0.2):
        if stop.is_set():
            return
    consumer.run(stop)


if __name__ == "__main__":
    main()
