"""The analyse process: the embedded telemetry endpoint, the telemetry consumer, and the pipeline's runner."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config

if TYPE_CHECKING:
    from watchkeeper.analysis.pipeline import Pipeline
    from watchkeeper.analysis.stages.normalise import Normalise
    from watchkeeper.analysis.templates.templater import Templater
    from watchkeeper.telemetry.consumer import TelemetryConsumer
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

    import django

    django.setup()
    from watchkeeper.analysis.templates.templater import Templater
    from watchkeeper.app.records import DjangoRecords
    from watchkeeper.app.runner import Runner
    from watchkeeper.journal import open_journal
    from watchkeeper.telemetry.consumer import TelemetryConsumer
    from watchkeeper.telemetry.findings import FindingLog
    from watchkeeper.telemetry.store import Store

    process.await_records()
    journal = open_journal(config.journal_url, config.data)
    store = Store(process.telemetry_dsn(config.telemetry_url))
    templater = Templater()
    history = FindingLog(store)
    normalise, pipeline = pipeline_of(templater)
    runner = Runner(
        journal, pipeline, DjangoRecords(), config.data / "learned.bin",
        told=lambda w: history.put(w.now_ms, w.findings, w.alerts.values(), w.situations.values()),
        recall=lambda: _recall_series(store, normalise),
    )  # fmt: skip
    consumer = TelemetryConsumer(journal, store, templater=templater)

    threads = [
        process.guard(lambda: runner.run(stop), "analysis", stop),
        process.guard(lambda: _store_telemetry(store, consumer, stop), "telemetry", stop),
        process.guard(lambda: history.run(stop), "findings", stop),
    ]
    while not stop.wait(1.0):
        pass
    deadline = time.monotonic() + 10
    for thread in threads:
        thread.join(max(0.1, deadline - time.monotonic()))
    journal.close()
    store.close()
    if endpoint is not None:
        endpoint.stop()


def pipeline_of(templater: Templater) -> tuple[Normalise, Pipeline]:
    """The stages in their order, sharing the alerts and situations that live; the first of them by itself too."""
    from watchkeeper.analysis.pipeline import Pipeline
    from watchkeeper.analysis.stages.correlate import Correlate
    from watchkeeper.analysis.stages.deduplicate import Deduplicate
    from watchkeeper.analysis.stages.detect import Detect
    from watchkeeper.analysis.stages.determine_cause import DetermineCause
    from watchkeeper.analysis.stages.normalise import Normalise

    normalise, deduplicate = Normalise(), Deduplicate()
    correlate = Correlate(deduplicate.living)
    determine_cause = DetermineCause(deduplicate.living, correlate.situations)
    return normalise, Pipeline([normalise, Detect(templater), deduplicate, correlate, determine_cause])


def _recall_series(store: Store, normalise: Normalise) -> None:
    """Series that were declared after the last snapshot and before a kill are known to telemetry alone."""
    from watchkeeper.model.series import labels_json
    from watchkeeper.model.signals import Stream, batch
    from watchkeeper.telemetry.queries import series
    from watchkeeper.telemetry.store import TelemetryError

    try:
        found = series.described(store, series.Wanted(), limit=MOST_SERIES)
    except TelemetryError as error:
        _log.info("known series are learned as they come (%s)", error.reason)
        return
    rows = [
        {
            "id": s.id,
            "name": s.name,
            "labels": labels_json(s.labels),
            "kind": s.kind,
            "unit": s.unit,
            "door": s.door,
        }
        for s in found
    ]
    if rows:
        normalise.declare(batch(Stream.SERIES, [dict(r) for r in rows]))


def _store_telemetry(store: Store, consumer: TelemetryConsumer, stop: threading.Event) -> None:
    """Bring the tables up to date, then carry signals into them."""
    from watchkeeper.telemetry.store import TelemetryError

    while not stop.is_set():
        try:
            store.migrate()
            break
        except TelemetryError as error:
            _log.warning("telemetry is not ready: %s", error)
            stop.wait(1.0)
    consumer.run(stop)


if __name__ == "__main__":
    main()
