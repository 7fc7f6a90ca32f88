"""A process with an endpoint and a consumer, to be killed. It prints its DSN once it serves, and ends in order when
its input ends.

    python -m tests.telemetry.child FOLDER JOURNAL SECRET SECONDS-BETWEEN-ROLLUPS
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.telemetry.consumer import TelemetryConsumer
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.store import Store


def main(folder: str, journal_file: str, secret: str, roll_every: str) -> None:
    endpoint = Endpoint(Path(folder), secret)
    endpoint.start()
    store = Store(endpoint.dsn)
    store.migrate()
    sys.stdout.write(f"{endpoint.dsn}\n")
    sys.stdout.flush()
    journal = SqliteJournal(Path(journal_file))
    stop = threading.Event()
    consumer = TelemetryConsumer(journal, store, linger=0.02, roll_every=float(roll_every))
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    sys.stdin.read()
    stop.set()
    thread.join()
    journal.close()
    store.close()
    endpoint.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
