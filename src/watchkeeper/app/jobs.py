"""The process of long work. It is there only while there is some: the supervisor starts it when the web process says
that a job is due, and it ends when nothing has been due for a while."""

from __future__ import annotations

import logging
import os
import sys
import time
import uuid
from pathlib import Path

from watchkeeper.app import process
from watchkeeper.app.config import Config

LOOK_EVERY = 0.5  # seconds between two looks for what is due
IDLE = 20.0  # seconds without work after which the process ends
_log = logging.getLogger(__name__)


def main() -> None:
    """Build, work, end."""
    stop = process.start("jobs")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    config = Config.from_env()

    from watchkeeper.domains.loading import load

    load()

    from django.db import DatabaseError, close_old_connections

    from watchkeeper.app.durable import Durable, store_url
    from watchkeeper.jobs import port as jobs
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.acts import JournalActs
    from watchkeeper.kernel.ports import ports
    from watchkeeper.telemetry.store import Store

    process.await_records()
    ports.journal = open_journal(config.journal_url, config.data)
    ports.acts = JournalActs(ports.journal)
    ports.telemetry = Store(process.telemetry_dsn(config.telemetry_url))
    engine = Durable(store_url(config.database_url, config.data), runner(config.data))
    try:
        engine.launch()
    except Exception as error:  # noqa: BLE001  (the store's own, of any driver)
        _log.exception("long work cannot go on")
        jobs.troubled(f"long work waits, because its store cannot be opened: {error}")
        sys.exit(1)
    last, marks = time.monotonic(), process.marks()
    while not stop.wait(LOOK_EVERY) and time.monotonic() - last < IDLE:
        marks.note("jobs")
        try:
            close_old_connections()
            if engine.tick():
                last = time.monotonic()
        except DatabaseError as error:
            _log.warning("the records cannot be read or written, trying again: %s", error)
            last = time.monotonic()
    # What runs is left as a kill would leave it: its transaction is taken back, and the next process goes on.
    os._exit(0)


def runner(data: Path) -> str:
    """The name of this data folder among those that share the records."""
    path = data / "jobs.id"
    if not path.exists():
        path.write_text(uuid.uuid4().hex)
    return path.read_text().strip()


if __name__ == "__main__":
    main()
