"""Signs of life: a page of memory that the supervisor makes and every process shares. Each notes there, about once a
second, that it goes on; so a process that hangs is told from one that works, and from one that is gone.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import time
from collections.abc import Mapping

NAMES = ("supervisor", "receive", "analyse", "web", "jobs", "poll")
_MARK = struct.Struct("d")  # monotonic seconds, one clock for all processes of a machine; 0: not running
_SIZE = mmap.PAGESIZE


def shared_page() -> int:
    """The descriptor of a new page, for processes to inherit."""
    with tempfile.TemporaryFile(prefix="watchkeeper-") as file:
        file.truncate(_SIZE)
        descriptor = os.dup(file.fileno())
    os.set_inheritable(descriptor, True)
    return descriptor


class Marks:
    """The page behind a descriptor. Any thread may use it; each process notes its own name."""

    def __init__(self, descriptor: int) -> None:
        self._page = mmap.mmap(descriptor, _SIZE)

    def note(self, name: str) -> None:
        """Say that this process goes on."""
        self._write(name, time.monotonic())

    def clear(self, name: str) -> None:
        """Say that this process has ended."""
        self._write(name, 0.0)

    def silent(self) -> Mapping[str, float | None]:
        """Seconds since each process was last heard of; None for one that does not run, and for a supervisor
        that stops them all."""
        now = time.monotonic()
        marks = {name: _MARK.unpack_from(self._page, i * _MARK.size)[0] for i, name in enumerate(NAMES)}
        return {name: max(0.0, now - mark) if mark else None for name, mark in marks.items()}

    def _write(self, name: str, mark: float) -> None:
        _MARK.pack_into(self._page, NAMES.index(name) * _MARK.size, mark)
