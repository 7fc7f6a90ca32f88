"""What /metrics tells, kept as samples twice a minute, so that the platform is seen on its own dashboards without anybody
who scrapes it. Part of the web process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from django.db import DatabaseError, close_old_connections, connection

from watchkeeper.kernel.ports import Metric
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.measured import measured
from watchkeeper.model.series import NAME

DOOR = "watchkeeper"
_log = logging.getLogger(__name__)


class OwnMetrics:
    """Inert until `run`."""

    def __init__(
        self, journal: Journal, collectors: Iterable[Callable[[], Iterable[Metric]]], every: float = 30.0
    ) -> None:
        self._journal, self._collectors, self.every = journal, list(collectors), every  # seconds

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        try:
            while not stop.wait(self.every):
                try:
                    close_old_connections()
                    self.once(int(time.time() * 1000))
                except (DatabaseError, WatchkeeperError) as error:
                    _log.warning("our own metrics are not kept this time: %s", error)
        finally:
            connection.close()

    def once(self, now_ms: int) -> None:
        """All that the collectors tell now, into the journal; series are declared with it, for they are few."""
        values = (
            ({**labels, NAME: metric.name}, metric.kind, float(value))
            for collect in self._collectors
            for metric in collect()
            for labels, value in metric.samples
        )
        self._journal.append(measured(values, now_ms, DOOR))
