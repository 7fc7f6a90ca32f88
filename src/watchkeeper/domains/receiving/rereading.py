"""Records in memory, brought up to date in the background, for processes that must not wait for the database."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, connection

REFRESH = 1.5  # seconds
_log = logging.getLogger(__name__)


class Rereading:
    """Inert until `start`. A subclass reads in `_read`, and calls its records `what`."""

    what = ""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._read_once = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    def start(self) -> None:
        """Read, and keep reading."""
        self._thread.start()

    def stop(self) -> None:
        """End the background reading."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._read()
                    self._read_once.set()
                except DatabaseError as error:
                    # What we know stays good: work goes on while the records are away.
                    connection.close()
                    _log.warning("%s cannot be read, going on as before: %s", self.what, error)
                self._stop.wait(REFRESH)
        finally:
            connection.close()

    def _read(self) -> None:
        """Bring up to date what is in memory. Raises DatabaseError."""
        raise NotImplementedError
