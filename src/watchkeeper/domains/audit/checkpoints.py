"""The file of checkpoints: one JSON object a line, only ever appended to, on disk before it counts.

It lies outside the database and can be copied off the machine: what it says of the chain, the database can no
longer deny.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from watchkeeper.domains.audit.rules import Checkpoint

_TAIL = 4096  # bytes that hold the last line


@dataclass(frozen=True)
class Checkpoints:
    """The file at `path`, made with the first checkpoint. Its methods raise OSError."""

    path: Path

    def append(self, checkpoint: Checkpoint) -> None:
        """Add one; it is on disk when this returns."""
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # A line that a failing machine left unfinished is not continued.
            begin = b"" if self._ends_well(descriptor) else b"\n"
            os.write(descriptor, begin + msgspec.json.encode(checkpoint) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def read(self) -> tuple[list[Checkpoint], list[int]]:
        """Every checkpoint, oldest first, and the numbers of the lines that are none."""
        found, unreadable = [], []
        text = self.path.read_bytes() if self.path.exists() else b""
        for number, line in enumerate(text.splitlines(), 1):
            if (checkpoint := _parsed(line)) is not None:
                found.append(checkpoint)
            else:
                unreadable.append(number)
        return found, unreadable

    def last(self) -> Checkpoint | None:
        """The one on the last line; None when there is none."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as f:
            f.seek(max(0, f.seek(0, os.SEEK_END) - _TAIL))
            lines = f.read().splitlines()
        return _parsed(lines[-1]) if lines else None

    @staticmethod
    def _ends_well(descriptor: int) -> bool:
        size = os.fstat(descriptor).st_size
        return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _parsed(line: bytes) -> Checkpoint | None:
    try:
        checkpoint = msgspec.json.decode(line, type=Checkpoint)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return checkpoint if checkpoint.time.tzinfo is not None else None
