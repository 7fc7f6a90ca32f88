"""A lock between processes on a file, let go by the kernel when its holder dies. POSIX only (flock)."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchkeeper.model.errors import JournalFull

PAUSE = 0.0005  # seconds between two tries


class FileLock:
    """Held by one process at a time. Within a process, guard it with a lock of threads."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._timeout = timeout

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock. Raises JournalFull (journal_locked) when another process keeps it for too long."""
        deadline = time.monotonic() + self._timeout
        while not self._taken():
            if time.monotonic() > deadline:
                raise JournalFull(
                    f"another process has kept the journal locked for {self._timeout:g} s",
                    reason="journal_locked",
                )
            time.sleep(PAUSE)
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
