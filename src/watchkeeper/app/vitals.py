"""How the platform is, as its web process sees it once a second: signs of life of every process, how far the readers of
the journal are, the front by way of which everything comes, and the disk. Kept in a file for `watchkeeper status`.
"""

from __future__ import annotations

import logging
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from threading import Event

import msgspec
from django.db import DatabaseError, close_old_connections

from watchkeeper.app import process
from watchkeeper.app.collectors import door_stats
from watchkeeper.domains.heartbeats.kept import KEPT, Kept
from watchkeeper.domains.heartbeats.progress import progress
from watchkeeper.domains.heartbeats.rules import Vitals
from watchkeeper.domains.situations import analysis_offset
from watchkeeper.kernel.ports import Metric
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError

_ANSWERS_WITHIN = 4.0  # seconds
_KEEP_EVERY = 5.0  # seconds
_log = logging.getLogger(__name__)


class Looking:
    """`look` is for one thread; `metrics` for any."""

    def __init__(self, journal: Journal, data: Path, stop: Event) -> None:
        self._journal, self._data, self._stop = journal, data, stop
        self._marks = process.marks()
        self.vitals = Vitals()
        self._kept = 0.0

    def look(self, front: bool) -> Vitals:
        """How it is now. Takes some seconds while the `front` is to be asked and hangs."""
        self._marks.note("web")
        unready = _unready() if front else ""
        if self._stop.is_set():  # the journal is being closed
            return self.vitals
        unread = self._progress()
        free = shutil.disk_usage(self._data).free
        self.vitals = Vitals(self._silent(), progress.behind(), free, unready, unread)
        if time.monotonic() - self._kept >= _KEEP_EVERY:
            self._kept = time.monotonic()
            self._keep()
        return self.vitals

    def _silent(self) -> dict[str, float | None]:
        """Without those that run only on demand and have nothing to do."""
        silent = self._marks.silent().items()
        return {name: s for name, s in silent if s is not None or name not in process.ON_DEMAND}

    def _keep(self) -> None:
        """Write what commands of this machine may want to know."""
        known = Kept(time.time(), progress.behind(), progress.worst(), dict(door_stats()))
        new = self._data / f"{KEPT}.new"
        try:
            new.touch(mode=0o600)
            new.write_bytes(msgspec.json.encode(known))
            new.replace(self._data / KEPT)
        except OSError as error:
            _log.warning("what `watchkeeper status` shows cannot be kept: %s", error)

    def _progress(self) -> str:
        """Note how far the readers are; what cannot be read of that."""
        try:
            close_old_connections()
            passed = {"analysis": analysis_offset(), "telemetry": self._journal.committed("telemetry")}
            progress.saw(time.monotonic(), self._journal.end(), passed)
        except DatabaseError as error:
            return f"the records do not answer: {error}"
        except WatchkeeperError as error:
            return f"the journal does not answer: {error.detail}"
        return ""

    def metrics(self) -> Iterable[Metric]:
        """Signs of life, seconds behind, and room on the disk."""
        silent = [({"process": name}, s) for name, s in self._marks.silent().items() if s is not None]
        behind = [({"consumer": reader}, s) for reader, s in progress.behind().items()]
        yield Metric("watchkeeper_process_silent_seconds", "gauge",
                     "Seconds since a process that runs gave a sign of life", silent)  # fmt: skip
        yield Metric("watchkeeper_journal_lag_seconds", "gauge",
                     "Since when there is an entry that a consumer has not passed", behind)  # fmt: skip
        yield Metric("watchkeeper_disk_free_bytes", "gauge",
                     "Room on the disk that has the data folder", [({}, float(self.vitals.free))])  # fmt: skip


def _unready() -> str:
    """What the front says of itself, the journal and the console, as any load balancer may ask it."""
    try:
        with urllib.request.urlopen(process.front_url("/readyz"), timeout=_ANSWERS_WITHIN):
            return ""
    except urllib.error.HTTPError as error:
        try:
            said = msgspec.json.decode(error.read(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return f"the front answers {error.code}"
        return "; ".join(
            f"{part}: {fault}" for part, fault in said.items() if part != "status" and fault != "ok"
        )
    except OSError as error:
        return f"the front does not answer: {error}"
