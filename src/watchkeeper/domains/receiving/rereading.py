"""Records in memory, brought up to date in the background, for processes that must not wait for the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.secrets import Unreadable
from watchkeeper.model.declared import Unread
from watchkeeper.model.errors import WatchkeeperError

T = TypeVar("T")

REFRESH = 1.5  # seconds
_log = logging.getLogger(__name__)


def readable(found: QuerySet[Any], made: Callable[[Any], T]) -> tuple[tuple[T, ...], tuple[Unread, ...]]:
    """What `made` makes of these records, and those whose secrets were sealed with another key: each of them costs the
    others nothing."""
    try:
        return tuple(map(made, found)), ()
    except Unreadable:
        sealed = [f.name for f in found.model._meta.concrete_fields if isinstance(f, SealedField)]
    out, unread = [], []
    for one in found.defer(*sealed):
        try:
            one.refresh_from_db(fields=sealed)
            out.append(made(one))
        except Unreadable as error:
            unread.append(Unread(str(one.pk), str(one), error.detail))
    return tuple(out), tuple(unread)


class Rereading:
    """Inert until `start`. A subclass reads in `_read`, and calls its records `what`."""

    what = ""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._read_once = threading.Event()
        self._unread: dict[str, tuple[Unread, ...]] = {}
        self._thread = threading.Thread(target=self._run, name=type(self).__name__)

    def start(self) -> None:
        """Read, and keep reading."""
        self._thread.start()

    def stop(self) -> None:
        """End the background reading."""
        self._stop.set()
        self._thread.join()

    def unread(self) -> Mapping[str, tuple[Unread, ...]]:
        """By door, the records that are on and cannot be read."""
        return self._unread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._read()
                    self._read_once.set()
                except (DatabaseError, WatchkeeperError) as error:
                    # What we know stays good: work goes on while the records are away.
                    connection.close()
                    _log.warning("%s cannot be read, going on as before: %s", self.what, error)
                self._stop.wait(REFRESH)
        finally:
            connection.close()

    def _read(self) -> None:
        """Bring up to date what is in memory. Raises DatabaseError and WatchkeeperError."""
        raise NotImplementedError
