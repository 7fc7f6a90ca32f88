"""A process that puts a sample into a store, brings its tables up to date and is killed after so many statements of
that; without a number it comes to its end, rolls up, and prints how many samples and hours there are.

    python -m tests.telemetry.migrating_child FOLDER [STATEMENTS]
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.telemetry.signals import now_ms
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.rollups import Rollups
from watchkeeper.telemetry.store import Store, TelemetryError


class Dying(Store):
    """Killed after so many statements."""

    left = -1

    def command(self, *given: Any, **named: Any) -> None:
        """As a store does."""
        super().command(*given, **named)
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, statements: str = "0") -> None:
    endpoint = Endpoint(Path(folder), "secret")
    endpoint.start()
    store = Dying(endpoint.dsn)
    with contextlib.suppress(TelemetryError):  # at first there is no table
        store.insert("samples", pa.table({
            "series": pa.array([7], pa.uint64()), "time": pa.array([now_ms()], pa.int64()).view(pa.timestamp("ms")),
            "value": [1.0], "batch": pa.array([1], pa.uint64()),
        }))  # fmt: skip
    store.left = int(statements)
    store.migrate()
    rollups = Rollups(store)
    rollups.look(1)
    while rollups.step():
        pass
    found = store.rows(
        "SELECT (SELECT count() FROM samples) AS samples, sum(count) AS rolled FROM samples_1h FINAL"
    )
    sys.stdout.write(f"{found[0]['samples']} {found[0]['rolled']}")
    store.close()
    endpoint.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
