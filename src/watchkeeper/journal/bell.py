"""A bell between processes: whoever appends rings, whoever waits wakes up, and nobody looks at a clock.

On Linux waiters sleep on inotify (man 7 inotify) until the bell's file is touched. Elsewhere, or when the
kernel gives no more inotify instances, they look every POLL seconds. A ring is a hint: it may be missed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL = 0.012  # seconds between looks where there is no inotify
_IN_ATTRIB = 0x4


class Bell:
    """Rings for every Ear on the same file, in this and other processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[Ear] = []
        self._closed = False
        path.touch(mode=0o600)

    def ring(self) -> None:
        """Wake up whoever listens."""
        # A full or read-only disk may refuse; waiters look by themselves from time to time.
        with contextlib.suppress(OSError):
            os.utime(self._path)

    @contextmanager
    def ear(self) -> Iterator[Ear]:
        """An ear for one waiter; what rang before is heard too. Ears are kept, as the kernel takes
        milliseconds to part with one."""
        with self._lock:
            ear = self._idle.pop() if self._idle else Ear(self._path)
        try:
            yield ear
        finally:
            with self._lock:
                if self._closed:
                    ear.close()
                else:
                    self._idle.append(ear)

    def close(self) -> None:
        """Let go of all ears, of those in use once their waiters are done."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()


class Ear:
    """One waiter's side of the bell."""

    def __init__(self, path: Path) -> None:
        self._fd = _watch(path)
        self._poll = select.poll()
        if self._fd >= 0:
            self._poll.register(self._fd, select.POLLIN)

    def listen(self, timeout: float) -> None:
        """Return when it rang since the last call, or after `timeout` seconds, or for no reason."""
        limit = max(0.0, timeout) if self._fd >= 0 else min(max(0.0, timeout), POLL)
        if self._poll.poll(limit * 1000):
            os.read(self._fd, 4096)

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)


def _watch(path: Path) -> int:
    """A descriptor that becomes readable when the file is touched; -1 when there is none to be had."""
    if not sys.platform.startswith("linux"):
        return -1
    libc = ctypes.CDLL(None, use_errno=True)
    fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd >= 0 and libc.inotify_add_watch(fd, os.fsencode(path), _IN_ATTRIB) < 0:
        os.close(fd)
        return -1
    return fd
