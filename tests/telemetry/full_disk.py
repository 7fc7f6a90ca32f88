"""A store on a disk that gets full and then has space again; prints what was seen as JSON.

python -m tests.telemetry.full_disk FOLDER JOURNAL     FOLDER is a small file system
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.journal.full_disk import Ballast
from tests.support import eventually
from tests.telemetry.signals import carry, consuming, count, many_samples, now_ms
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.store import Store

ROWS = 60_000  # some 500 kB that cannot be compressed


def main(folder: str, journal_file: str) -> None:
    endpoint = Endpoint(Path(folder) / "data", "secret")
    endpoint.start()
    store = Store(endpoint.dsn)
    store.migrate()
    journal = SqliteJournal(Path(journal_file))
    ballast = Ballast(Path(folder))
    seen: dict[str, object] = {}
    for n in range(3):
        journal.append([many_samples(n * ROWS, ROWS, now_ms())])
        carry(journal, store)
    passed = journal.committed("telemetry")

    ballast.fill()
    for n in range(3, 6):
        journal.append([many_samples(n * ROWS, ROWS, now_ms())])
    with consuming(journal, store) as consumer:
        eventually(lambda: consumer.statistics["retries"] >= 3)
        seen["passed_while_full"] = journal.committed("telemetry") - passed
        seen["read_while_full"] = count(store, "samples")
        ballast.free()
        eventually(lambda: journal.committed("telemetry") == journal.end(), timeout=60)
    seen["put_aside"] = consumer.statistics["put_aside"]
    store.close()
    endpoint.stop()

    again = Endpoint(Path(folder) / "data", "secret")
    again.start()
    store = Store(again.dsn)
    seen["kept"] = store.rows("SELECT count() AS n, uniqExact(series) AS u FROM samples")
    store.close()
    again.stop()
    journal.close()
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
