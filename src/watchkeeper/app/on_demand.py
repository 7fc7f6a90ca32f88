"""In the web process: ask the supervisor for the processes that are there only while they have something to do."""

from __future__ import annotations

import fcntl
import logging
import os
import threading

from django.db import DatabaseError, close_old_connections

from watchkeeper.app import process
from watchkeeper.domains.polling import is_wanted
from watchkeeper.jobs.port import due

#: by the first letter of its name, which is what the supervisor is told: whether a process is wanted
WANTED = {b"j": due, b"p": is_wanted}
LOOK_EVERY = 1.0  # seconds
_log = logging.getLogger(__name__)


def watch(stop: threading.Event) -> None:
    """Ask once a second for whatever is wanted."""
    pipe = int(os.environ[process.WORK])
    fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_NONBLOCK)
    while not stop.wait(LOOK_EVERY):
        try:
            close_old_connections()
            for letter, wanted in WANTED.items():
                if wanted():
                    os.write(pipe, letter)
        except (DatabaseError, BlockingIOError) as error:
            _log.warning("whether there is work cannot be seen or said, trying again: %s", error)
