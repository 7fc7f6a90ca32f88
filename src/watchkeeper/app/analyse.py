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
    from watchkeeper.analysis.templates.templater import Templater
    from watchkeeper.telemetry.consumer import TelemetryConsumer
    from watchkeeper.telemetry.store import Store

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
    runner = Runner(
        journal, pipeline_of(templater), DjangoRecords(), config.data / "learned.bin",
        told=lambda w: history.put(w.now_ms, w.findings, w.alerts.values(), w.situations.values()),
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


def pipeline_of(templater: Templater) -> Pipeline:
    """The stages in their order, sharing the alerts and situations that live."""
    from watchkeeper.analysis.pipeline import Pipeline
    from watchkeeper.analysis.stages.correlate import Correlate
    from watchkeeper.analysis.stages.deduplicate import Deduplicate
    from watchkeeper.analysis.stages.detect import Detect
    from watchkeeper.analysis.stages.determine_cause import DetermineCause
    from watchkeeper.analysis.stages.normalise import Normalise

    deduplicate = Deduplicate()
    correlate = Correlate(deduplicate.living)
    determine_cause = DetermineCause(deduplicate.living, correlate.situations)
    return Pipeline([Normalise(), Detect(templater), deduplicate, correlate, determine_cause])


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
