"""Shapes of log lines learned since what was learned was last kept, in a file: after a kill they are learned again in the
same order, so that the same message has the same template id as before. Written, not synced: a kill of the process loses
none, a loss of power at most those of the last seconds."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST = 32 * 1024 * 1024  # bytes; beyond that a kill costs ids of what random lines have made
_log = logging.getLogger(__name__)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class TemplateNotes:
    """The file. `add` is called by whoever mines, `forget` after what was learned has been kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size if path.exists() else 0

    def add(self, shapes: Sequence[bytes]) -> None:
        """Note these, in their order. A disk that is full costs the note, not the line."""
        data = b"".join(len(shape).to_bytes(2, "little") + shape for shape in shapes)
        if self.size + len(data) > MOST:
            return
        try:
            with open(self._path, "ab", opener=_private) as file:
                file.write(data)
        except OSError as error:
            _log.warning("new log templates could not be noted: %s", error)
        else:
            self.size += len(data)

    def read(self) -> Iterator[bytes]:
        """All that is noted; a torn end is left out."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return
        at = 0
        while at + 2 <= len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "little")
            if end > len(data):
                return
            yield data[at + 2 : end]
            at = end

    def forget(self, mark: int) -> None:
        """Drop the first `mark` bytes: they are in what was kept. Raises OSError."""
        if not mark:
            return
        rest = self._path.read_bytes()[mark:]
        new = self._path.with_suffix(".new")
        with open(new, "wb", opener=_private) as file:
            file.write(rest)
        new.replace(self._path)
        self.size = len(rest)
